import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';

/**
 * Certificates for tests, made as they are needed: X.509 version 3 in DER (ITU-T X.690, RFC 5280), with
 * a key on the curve P-256 each. Node can read certificates and has nothing to make them.
 */

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is to say. */
export interface CertificateOptions {
  readonly name: string;
  /** Host names and IPv4 addresses that it is for. */
  readonly hosts?: readonly string[];
  /** For how many days from now on it is valid; negative: it has expired so long ago. */
  readonly days?: number;
  /** In how many days that begins. */
  readonly fromDay?: number;
}

const DAY_MS = 86_400_000;

/** Somebody who signs certificates. */
export class Authority {
  /** Its own certificate, as PEM. */
  readonly cert: string;
  readonly #name: Buffer;
  readonly #key: KeyObject;

  constructor(name: string) {
    this.#name = nameOf(name);
    this.#key = newKey();
    this.cert = certificate({ name, isAuthority: true }, this.#key, this.#name, this.#key);
  }

  /** @returns a new certificate that it has signed, and its key */
  issue(options: CertificateOptions): Identity {
    const key = newKey();
    return {
      cert: certificate(options, key, this.#name, this.#key),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** @returns PEM. @param key of the certificate, and `signer` of whoever signs it */
function certificate(
  options: CertificateOptions & { readonly isAuthority?: boolean },
  key: KeyObject,
  issuer: Buffer,
  signer: KeyObject,
): string {
  const { name, hosts = [], days = 2, fromDay = -1, isAuthority = false } = options;
  const nowMs = Date.now();
  const algorithm = sequence(identifier(ECDSA_WITH_SHA256));
  const extensions = [
    extension(BASIC_CONSTRAINTS, isAuthority ? sequence(TRUE) : sequence()),
    ...(hosts.length === 0 ? [] : [extension(ALTERNATIVE_NAMES, sequence(...hosts.map(hostOf)))]),
  ];
  const content = sequence(
    tagged(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    issuer,
    sequence(time(nowMs + Math.min(fromDay, days - 1) * DAY_MS), time(nowMs + days * DAY_MS)),
    nameOf(name),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', content, signer);
  const der = sequence(content, algorithm, tagged(0x03, Buffer.of(0), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const ECDSA_WITH_SHA256 = [42, 134, 72, 206, 61, 4, 3, 2]; // 1.2.840.10045.4.3.2
const COMMON_NAME = [85, 4, 3]; // 2.5.4.3
const ALTERNATIVE_NAMES = [85, 29, 17]; // 2.5.29.17
const BASIC_CONSTRAINTS = [85, 29, 19]; // 2.5.29.19
const TRUE = Buffer.of(1, 1, 255);

/** Tag, length, content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const hex = length.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const size = length < 128 ? Buffer.of(length) : Buffer.of(0x80 + digits.length, ...digits);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function identifier(bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

/** A GeneralizedTime would be wrong before 2050, and a UTCTime behind it. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`));
}

function nameOf(text: string): Buffer {
  const pair = sequence(identifier(COMMON_NAME), tagged(0x0c, Buffer.from(text)));
  return sequence(tagged(0x31, pair));
}

function hostOf(host: string): Buffer {
  if (isIP(host) === 0) return tagged(0x82, Buffer.from(host));
  return tagged(0x87, Buffer.from(host.split('.').map(Number)));
}

function extension(kind: readonly number[], value: Buffer): Buffer {
  return sequence(identifier(kind), TRUE, tagged(0x04, value)); // critical
}
