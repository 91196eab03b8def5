import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import tls from 'node:tls';
import { ProxyError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Setting } from './settings.ts';

/**
 * Longest file of certificates, in bytes. Source: our choice; the certificates that a system trusts
 * take some 220,000.
 */
const PEM_MAX_BYTES = 4_194_304;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What a node:crypto error says, besides what every error does. */
type CryptoError = Error & { readonly reason?: string };

/** How OpenSSL says it where Node passes that on as text; a function's name may be missing. */
const OPENSSL_LINE = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

/** The files that one side of TLS needs, as PEM: each is the setting that names it, and its path. */
export interface TlsFiles {
  /** Our own certificate, with those that link it to one that others trust behind it. */
  readonly cert: Setting | undefined;
  /** The key of that certificate. */
  readonly key: Setting | undefined;
  /** Whom to trust; undefined: the list that Node brings along. */
  readonly ca: Setting | undefined;
}

/** What may be read anew. */
export type Reloaded = 'certificates' | 'password';

/** Has files that may be read anew while it works. */
export interface Reloadable {
  /**
   * What is open stays as it is.
   *
   * @returns what there was to read
   * @throws ProxyError CONFIG_INVALID, and then nothing has changed
   */
  reload(): readonly Reloaded[];
}

/**
 * Reads and checks the files of one side.
 *
 * @throws ProxyError CONFIG_INVALID with one line for the operator
 */
export function readTls({ cert, key, ca }: TlsFiles): tls.SecureContextOptions {
  const authorities = ca && read(ca);
  if (ca !== undefined) certificatesIn(ca, authorities);
  const options = {
    minVersion: 'TLSv1.2',
    cert: cert && read(cert),
    key: key && read(key),
    ca: authorities,
  } as const;
  if (cert !== undefined && key !== undefined) {
    checkIdentity({ cert, key }, { cert: options.cert, key: options.key });
  }
  try {
    tls.createSecureContext(options); // for what it may say
  } catch (cause) {
    const named = [cert, key, ca].filter((file) => file !== undefined).map(({ name }) => name);
    const why = `${named.join(', ')}: OpenSSL refuses these files: ${reasonOf(cause)}`;
    throw new ProxyError('CONFIG_INVALID', why, { cause });
  }
  return options;
}

/** Has each read its files anew. Whoever can't keeps what it had, and the log says why. */
export function reloadAll(those: readonly Reloadable[], logger: Logger): void {
  const read = new Set<Reloaded>();
  for (const one of those) {
    try {
      for (const what of one.reload()) read.add(what);
    } catch (cause) {
      if (!(cause instanceof ProxyError)) throw cause;
      logger.error({ reason: cause.message }, 'certificates stay as they were, and the password');
    }
  }
  if (read.has('certificates')) logger.info('certificates were read again');
  if (read.has('password')) logger.info('the password was read again');
}

/** @returns what OpenSSL says is wrong, in its own words */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as CryptoError).reason ?? OPENSSL_LINE.exec(error.message)?.[1] ?? error.message;
}

function read(file: Setting): string {
  try {
    if (statSync(file.text).size > PEM_MAX_BYTES) {
      throw new Error(`it is longer than ${PEM_MAX_BYTES} bytes`);
    }
    return readFileSync(file.text, 'latin1');
  } catch (cause) {
    // Node says 'ENOENT: no such file or directory, open ...'.
    const message = cause instanceof Error ? cause.message : String(cause);
    const why = /^E[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message;
    throw refused(file, `cannot be read: ${why}`, cause);
  }
}

/** @returns those that the file holds; at least one */
function certificatesIn(file: Setting, text = ''): readonly X509Certificate[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw refused(file, 'holds no certificate (PEM)');
  return found.map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      throw refused(file, `holds a broken certificate: ${reasonOf(cause)}`, cause);
    }
  });
}

/** What we show must be ours, and in force: the other side would turn us away, and not say why. */
function checkIdentity(
  files: { readonly cert: Setting; readonly key: Setting },
  texts: { readonly cert: string | undefined; readonly key: string | undefined },
): void {
  const [own] = certificatesIn(files.cert, texts.cert);
  if (own === undefined) return;
  const nowMs = Date.now();
  if (Date.parse(own.validTo) < nowMs) {
    throw refused(files.cert, `holds a certificate that expired on ${own.validTo}`);
  }
  if (Date.parse(own.validFrom) > nowMs) {
    throw refused(files.cert, `holds a certificate that is not valid before ${own.validFrom}`);
  }
  if (!isKeyOf(own, files.key, texts.key)) {
    throw refused(files.key, `is not the key of the certificate in '${files.cert.text}'`);
  }
}

function isKeyOf(own: X509Certificate, file: Setting, text = ''): boolean {
  try {
    return own.checkPrivateKey(createPrivateKey(text));
  } catch (cause) {
    if (/^(?:-----BEGIN|Proc-Type:).*ENCRYPTED/m.test(text)) {
      throw refused(file, 'holds a key that wants a passphrase; store it without', cause);
    }
    throw refused(file, 'holds no private key (PEM)', cause);
  }
}

function refused({ name, text }: Setting, why: string, cause?: unknown): ProxyError {
  const path = text.replace(/\p{Cc}/gu, ' ');
  return new ProxyError('CONFIG_INVALID', `${name}: '${path}' ${why}`, { cause });
}
