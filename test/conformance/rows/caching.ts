import type { Row } from '../scenario.ts';

const UNWANTED =
  '-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled';
const YES_WANTS_OPTIN =
  '-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.';
const NO_WANTS_OPTOUT =
  '-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.';

/** CLIENT CACHING and the modes OPTIN and OPTOUT. */
export const CACHING: readonly Row[] = [
  {
    name: 'without tracking CLIENT CACHING is refused whatever the word',
    protocols: [2, 3],
    play: `
      a> CLIENT CACHING YES
      a< ${UNWANTED}
      a> CLIENT CACHING NO
      a< ${UNWANTED}
      a> CLIENT CACHING foo
      a< ${UNWANTED}
    `,
  },
  {
    name: 'in default mode either word is refused, and any other is a syntax error',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON
      a> CLIENT CACHING YES
      a> CLIENT CACHING NO
      a> CLIENT CACHING foo
      a< OK
      a< ${YES_WANTS_OPTIN}
      a< ${NO_WANTS_OPTOUT}
      a< -ERR syntax error
    `,
  },
  {
    name: 'in BCAST mode either word is refused',
    play: `
      a> CLIENT TRACKING ON BCAST
      a> CLIENT CACHING YES
      a> CLIENT CACHING NO
      a< OK
      a< ${YES_WANTS_OPTIN}
      a< ${NO_WANTS_OPTOUT}
    `,
  },
  {
    name: 'OPTIN takes YES, OPTOUT takes NO, and neither the other',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING no
      a> CLIENT CACHING Yes
      a< OK
      a< ${NO_WANTS_OPTOUT}
      a< OK
      b> CLIENT TRACKING ON OPTOUT
      b> CLIENT CACHING yes
      b> CLIENT CACHING nO
      b< OK
      b< ${YES_WANTS_OPTIN}
      b< OK
    `,
  },
  {
    name: 'OPTIN tracks nothing by itself',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> GET k
      a< OK
      a< nil
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'OPTIN: the one command behind CACHING YES is tracked',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> GET k
      a> GET l
      a< OK
      a< OK
      a< nil
      a< nil
      w> MSET k 1 l 1
      w< OK
      a< invalidate k
    `,
  },
  {
    name: 'OPTOUT: the one command behind CACHING NO is not tracked',
    protocols: [2, 3],
    play: `
      a> CLIENT TRACKING ON OPTOUT
      a> GET j
      a> CLIENT CACHING NO
      a> GET k
      a> GET l
      a< OK
      a< nil
      a< OK
      a< nil
      a< nil
      w> MSET j 1 k 1 l 1
      w< OK
      a< invalidate j
      a< invalidate l
    `,
  },
  {
    name: 'a read that is not marked leaves the tracking of an earlier one in place',
    play: `
      a> CLIENT TRACKING ON OPTOUT
      a> GET k
      a> CLIENT CACHING NO
      a> GET k
      a< OK
      a< _
      a< OK
      a< _
      w> SET k 1
      w< OK
      a< invalidate k
    `,
  },
  ...[
    'PING',
    'SELECT 0',
    'SET other 1',
    'NOSUCH',
    'GET',
    'GET a b',
    'WATCH k',
    'CLIENT NOSUCH',
  ].map((words) => marking(words, false)),
  ...[
    'CLIENT ID',
    'CLIENT GETNAME',
    'CLIENT CACHING',
    'CLIENT CACHING NO',
    'CLIENT CACHING foo',
    'CLIENT TRACKINGINFO',
    'CLIENT TRACKING ON OPTIN',
    'CLIENT TRACKING FOO',
    'CLIENT GETREDIR x',
    'CLIENT SETNAME n',
    'CLIENT REPLY maybe',
    'CLIENT INFO',
  ].map((words) => marking(words, true)),
  {
    name: 'an empty request drops the mark',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a>> CLIENT CACHING YES\\r\\n\\r\\nGET k\\r\\n
      a< OK
      a< OK
      a< _
      w> SET k 1
      w< OK
    `,
  },
  {
    name: 'the mark waits for the next command however late it comes',
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a< OK
      a< OK
      w> SET k 1
      w< OK
      a> GET k
      a< "1"
      w> SET k 2
      w< OK
      a< invalidate k
    `,
  },
];

/** @param keeps whether the words between CACHING YES and the read leave the mark */
function marking(words: string, keeps: boolean): Row {
  return {
    name: `${words} ${keeps ? 'keeps' : 'drops'} the mark`,
    play: `
      a> CLIENT TRACKING ON OPTIN
      a> CLIENT CACHING YES
      a> ${words}
      a> GET k
      a< OK
      a< OK
      a< any
      a< _
      w> SET k 1
      w< OK
      ${keeps ? 'a< invalidate k' : ''}
    `,
  };
}
