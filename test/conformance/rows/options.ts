import type { Row } from '../scenario.ts';

const SWITCH_BCAST =
  "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
const SWITCH_OPT =
  "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";

/** The options of CLIENT TRACKING: grammar, the order of the checks, every refusal. */
export const OPTIONS: readonly Row[] = [
  {
    name: 'options stand in any order and case',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON NoLoop Prefix a bCAST pREFIX b
      a< OK
      a> CLIENT GETREDIR
      a< :0
    `,
  },
  {
    name: 'options may be repeated',
    play: `
      a> CLIENT TRACKING ON OPTIN OPTIN NOLOOP optin noloop
      a< OK
      a> CLIENT TRACKINGINFO
      a< %["flags" ~["on" "optin" "noloop"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'an option before ON is a syntax error',
    play: `
      a> CLIENT TRACKING BCAST ON
      a< -ERR syntax error
      a> CLIENT TRACKING BCAST
      a< -ERR syntax error
    `,
  },
  ...['REDIRECT', 'PREFIX', 'FOO', '""', 'ON', 'BCASTS', 'OPTIN x'].map((words) => ({
    name: `ON with the last words ${words} is a syntax error`,
    play: `
      a> CLIENT TRACKING ON NOLOOP ${words}
      a< -ERR syntax error
      a> CLIENT GETREDIR
      a< :-1
    `,
  })),
  {
    name: 'OFF takes every valid option and ignores it',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING OFF BCAST OPTIN OPTOUT PREFIX a NOLOOP
      a< OK
      a> CLIENT TRACKING OFF REDIRECT $a
      a< OK
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'OFF with an invalid option is refused and tracking stays on',
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT TRACKING OFF REDIRECT 99999999
      a> CLIENT TRACKING OFF REDIRECT x
      a> CLIENT TRACKING OFF PREFIX
      a> CLIENT GETREDIR
      a< OK
      a< -ERR The client ID you want redirect to does not exist
      a< -ERR value is not an integer or out of range
      a< -ERR syntax error
      a< :0
    `,
  },
  {
    name: 'options are read before the word ON or OFF is',
    play: `
      a> CLIENT TRACKING maybe REDIRECT 99999999
      a< -ERR The client ID you want redirect to does not exist
      a> CLIENT TRACKING maybe PREFIX a
      a< -ERR syntax error
    `,
  },
  {
    name: 'REDIRECT to an id that nobody has',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON REDIRECT 99999999
      a< -ERR The client ID you want redirect to does not exist
      a> CLIENT TRACKING ON REDIRECT 0
      a< -ERR The client ID you want redirect to does not exist
      a> CLIENT TRACKING ON REDIRECT -1
      a< -ERR The client ID you want redirect to does not exist
      a> CLIENT TRACKING ON REDIRECT 9223372036854775807
      a< -ERR The client ID you want redirect to does not exist
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  ...['x', '""', '1.0', '+1', '01', '" 1"', '1x', '9223372036854775808', '-'].map((id) => ({
    name: `REDIRECT to ${id} is no integer`,
    play: `
      a> CLIENT TRACKING ON REDIRECT ${id}
      a< -ERR value is not an integer or out of range
    `,
  })),
  {
    name: 'a second REDIRECT is refused before it is looked at',
    play: `
      a> CLIENT TRACKING ON REDIRECT $a REDIRECT x
      a< -ERR A client can only redirect to a single other client
      a> CLIENT TRACKING ON REDIRECT $a REDIRECT $a
      a< -ERR A client can only redirect to a single other client
      a> CLIENT TRACKING ON REDIRECT x REDIRECT x
      a< -ERR value is not an integer or out of range
    `,
  },
  {
    name: 'the first failing option answers',
    play: `
      a> CLIENT TRACKING ON FOO REDIRECT x
      a< -ERR syntax error
      a> CLIENT TRACKING ON REDIRECT x FOO
      a< -ERR value is not an integer or out of range
    `,
  },
  {
    name: 'PREFIX asks for BCAST',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON PREFIX a
      a< -ERR PREFIX option requires BCAST mode to be enabled
      a> CLIENT TRACKING ON PREFIX a OPTIN OPTOUT
      a< -ERR PREFIX option requires BCAST mode to be enabled
      a> CLIENT TRACKING ON BCAST
      a< OK
      a> CLIENT TRACKING ON PREFIX a
      a< -ERR PREFIX option requires BCAST mode to be enabled
    `,
  },
  {
    name: 'BCAST cannot be switched on while tracking is on',
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT TRACKING ON BCAST
      a> CLIENT TRACKING ON BCAST OPTIN
      a> CLIENT TRACKINGINFO
      a< OK
      a< ${SWITCH_BCAST}
      a< ${SWITCH_BCAST}
      a< %["flags" ~["on"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'BCAST cannot be switched off while tracking is on',
    play: `
      a> CLIENT TRACKING ON BCAST
      a> CLIENT TRACKING ON
      a> CLIENT TRACKING ON OPTIN OPTOUT
      a> CLIENT TRACKINGINFO
      a< OK
      a< ${SWITCH_BCAST}
      a< ${SWITCH_BCAST}
      a< %["flags" ~["on" "bcast"] "redirect" :0 "prefixes" *[""]]
    `,
  },
  {
    name: 'BCAST goes neither with OPTIN nor with OPTOUT',
    play: `
      a> CLIENT TRACKING ON BCAST OPTIN
      a< -ERR OPTIN and OPTOUT are not compatible with BCAST
      a> CLIENT TRACKING ON OPTOUT BCAST
      a< -ERR OPTIN and OPTOUT are not compatible with BCAST
      a> CLIENT TRACKING ON BCAST OPTIN OPTOUT
      a< -ERR OPTIN and OPTOUT are not compatible with BCAST
      a> CLIENT GETREDIR
      a< :-1
    `,
  },
  {
    name: 'OPTIN does not go with OPTOUT',
    play: `
      a> CLIENT TRACKING ON OPTIN OPTOUT
      a< -ERR You can't specify both OPTIN mode and OPTOUT mode
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT TRACKING ON OPTOUT OPTIN
      a< OK
      a< -ERR You can't specify both OPTIN mode and OPTOUT mode
    `,
  },
  {
    name: 'OPTIN cannot become OPTOUT, nor the other way',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT TRACKING ON OPTOUT
      a< OK
      a< ${SWITCH_OPT}
      b> CLIENT TRACKING ON OPTOUT
      b> CLIENT TRACKING ON OPTIN
      b< OK
      b< ${SWITCH_OPT}
    `,
  },
  {
    name: 'OPTIN becomes OPTOUT by way of a plain ON',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT TRACKING ON
      a> CLIENT TRACKING ON OPTOUT
      a> CLIENT TRACKINGINFO
      a< OK
      a< OK
      a< OK
      a< %["flags" ~["on" "optout"] "redirect" :0 "prefixes" *[]]
    `,
  },
  {
    name: 'tracking without a redirection is accepted in RESP2, and nothing is told',
    protocols: [2],
    play: `
      a> CLIENT TRACKING ON
      a> GET k
      a< OK
      a< $-1
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'CLIENT TRACKING inside a function of the server is refused',
    protocols: [2, 3],
    play: `
      a> EVAL "return redis.pcall('client', 'caching', 'yes')" 0
      a< -ERR This Redis command is not allowed from script
      a> EVAL "return redis.pcall('client', 'trackinginfo')" 0
      a< -ERR This Redis command is not allowed from script
    `,
  },
];
