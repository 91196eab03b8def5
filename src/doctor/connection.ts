import { printUpstream } from '../address.ts';
import { ProxyError } from '../errors.ts';
import { type Finding, type Fix, flaw } from './finding.ts';
import { type Speech, speechOf } from './speech.ts';
import type { Visit } from './visit.ts';

/** What may be done about TLS, by what was wrong with it. */
const TLS_FIXES: readonly (readonly [RegExp, Fix])[] = [
  [
    /signed by nobody that is trusted/,
    here("--upstream-tls-ca=FILE, with the certificate (PEM) of who has signed the server's"),
  ],
  [
    /certificate has expired/,
    there('give the server a new certificate; if it has one, set the clock of this machine'),
  ],
  [/not valid yet/, there('set the clocks of the server and of this machine')],
  [
    /certificate is for .*, not for /,
    here('--upstream-tls-sni=NAME, with a name that the certificate is for'),
  ],
  [
    /unknown ca|bad certificate|certificate (expired|revoked|unknown)|unsupported certificate/,
    here('--upstream-tls-cert and --upstream-tls-key, with a certificate that the server trusts'),
  ],
  [
    /certificate required|handshake failure/,
    here('--upstream-tls-cert and --upstream-tls-key: the server wants to see a certificate'),
  ],
  [/protocol version|unsupported protocol/, there('let the server speak TLS 1.2 or newer')],
];

const OTHER_WAY: Readonly<Record<Speech, Fix>> = {
  tls: here('--upstream rediss://...: the server speaks TLS at this port'),
  plain: here('--upstream redis://...: the server speaks no TLS at this port'),
};

/** How no connection came about, or how it was lost. */
export async function connectionFinding(cause: unknown, visit: Visit): Promise<Finding> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return flaw('connection', 'missing', {
    found: `${printUpstream(visit.address)}: ${reason}`,
    consequence: 'The proxy cannot work.',
    fixes: loginFixes(reason, visit) ?? (await wayFixes(cause, reason, visit)),
  });
}

/** @returns undefined where it is about something else */
function loginFixes(reason: string, visit: Visit): readonly Fix[] | undefined {
  if (reason.startsWith('NOAUTH')) {
    return [here('name user and password: --upstream redis://USER:PASSWORD@HOST:PORT')];
  }
  if (/^WRONGPASS|invalid password/i.test(reason)) {
    const where = visit.isControl ? '--control-user and --control-password-file' : '--upstream';
    return [here(`give the right user and password in ${where}`)];
  }
  if (/no password is set|AUTH.* without any password/i.test(reason)) {
    return [
      here(
        visit.isControl
          ? 'name a user with --control-user: the default user has no password'
          : 'leave out the password in --upstream: the server has none',
      ),
    ];
  }
  if (reason.startsWith('NOPERM')) {
    return [{ where: 'ACL', how: `ACL SETUSER ${visit.user} on +ping` }];
  }
  if (reason.startsWith('DENIED')) {
    return [{ where: 'redis.conf', how: 'protected-mode no, with a password set' }];
  }
  return undefined;
}

async function wayFixes(cause: unknown, reason: string, visit: Visit): Promise<readonly Fix[]> {
  const code = cause instanceof ProxyError ? cause.code : undefined;
  if (code === 'UPSTREAM_REFUSED' || code === 'CONFIG_INVALID') return [];
  if (reason.startsWith('TLS: ')) {
    const known = TLS_FIXES.find(([pattern]) => pattern.test(reason));
    if (known !== undefined) return [known[1]];
  }
  const speech = await speechOf(visit);
  if (speech !== undefined) return [OTHER_WAY[speech]];
  if (code === 'UPSTREAM_NOT_REDIS') {
    return [here('see what listens at that address: it does not speak as Redis does')];
  }
  return [here('see whether the address is right, the server runs, and no firewall is in between')];
}

function here(how: string): Fix {
  return { where: 'sidetrack', how };
}

function there(how: string): Fix {
  return { where: 'upstream', how };
}
