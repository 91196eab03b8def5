import net from 'node:net';
import tls from 'node:tls';
import type { UpstreamTls } from '../address.ts';
import { readTls, reasonOf } from '../tls.ts';

/** What is wrong with a certificate, by Node's codes, and what may be done about it. */
const UNTRUSTED = 'its certificate is signed by nobody that is trusted (--upstream-tls-ca)';
const REASONS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
};

/**
 * Reads the files, and says how to connect with them. Nothing is sent to a server whose certificate
 * does not fit, unless that is asked for.
 *
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readUpstreamTls({ serverName, files, insecure }: UpstreamTls): {
  readonly secureContext: tls.SecureContext;
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: typeof tls.checkServerIdentity;
} {
  return {
    secureContext: tls.createSecureContext(readTls(files)),
    servername: net.isIP(serverName) === 0 ? serverName : '', // an address must not be sent
    rejectUnauthorized: !insecure,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(serverName, certificate),
  };
}

/**
 * Why a connection to upstream has failed, as one line for the operator.
 *
 * @returns the same error, or one in words of ours that begin with TLS
 */
export function whyLost(error: Error): Error {
  const reason = tlsReason(error);
  return reason === undefined ? error : new Error(`TLS: ${reason}`, { cause: error });
}

/** @returns undefined where it is not about TLS */
function tlsReason(error: Error): string | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  const known = REASONS[code];
  if (known !== undefined) return known;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { host, cert } = error as Error & { readonly host?: string; readonly cert?: AltNames };
    const names = cert?.subjectaltname ?? 'no name';
    return `its certificate is for ${names}, not for ${host} (--upstream-tls-sni)`;
  }
  if (/before secure TLS connection/.test(error.message)) {
    return 'it closed the connection before the end of the handshake';
  }
  const isTls = code === 'EPROTO' || code.startsWith('ERR_SSL_');
  return isTls ? reasonOf(error) : undefined;
}

/** What is needed of a certificate here. */
interface AltNames {
  readonly subjectaltname?: string;
}
