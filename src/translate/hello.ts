import type { Words } from '../commands/keys.ts';
import { TYPE } from '../resp/scanner.ts';
import { bulk, type Protocol } from '../resp/write.ts';
import { REPORTS } from './reports.ts';
import { translated } from './whole.ts';

/** What a HELLO asks for, in the order in which it is to be done. */
export interface Hello {
  /** As whom to log in. */
  readonly login: { readonly user: string; readonly password: string } | undefined;
  /** What the connection is to be called; '' takes its name away. */
  readonly name: string | undefined;
  /** The protocol that is spoken from the reply on; undefined leaves it as it is. */
  readonly protocol: Protocol | undefined;
}

/** To a connection that is not let in and gives no credentials, whatever else it asks for. */
export const HELLO_NOAUTH =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> ' +
  'AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
  'version at the same time';

const NOT_AN_INTEGER = 'ERR Protocol version is not an integer or out of range';
const BAD_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';

/**
 * Reads a HELLO as Redis does from 7.2 on: nothing takes effect before all words are read, of
 * options that are repeated the last one counts, but every name is checked. Up to 7.0 the options
 * before a wrong one have their effect.
 *
 * @param words of the request, HELLO itself included
 * @returns what is asked for, or the error to answer, without its minus
 */
export function parseHello(words: Words): Hello | string {
  let login: Hello['login'];
  let name: string | undefined;
  const version = words.count > 1 ? integerOf(words.text(1)) : undefined;
  if (version === undefined && words.count > 1) return NOT_AN_INTEGER;
  if (version !== undefined && version !== 2n && version !== 3n) {
    return 'NOPROTO unsupported protocol version';
  }
  for (let at = 2; at < words.count; at++) {
    const option = words.text(at).replace(/\0.*$/s, '');
    const behind = words.count - 1 - at;
    if (option.toLowerCase() === 'auth' && behind >= 2) {
      login = { user: words.text(at + 1), password: words.text(at + 2) };
      at += 2;
    } else if (option.toLowerCase() === 'setname' && behind >= 1) {
      name = words.text(at + 1);
      at += 1;
      if (/[^!-~]/.test(name)) return BAD_NAME;
    } else {
      return `ERR Syntax error in HELLO option '${option.replace(/[\r\n]/g, ' ')}'`;
    }
  }
  return { login, name, protocol: version === undefined ? undefined : version === 2n ? 2 : 3 };
}

/** @returns the integer of 64 bits that servers read in a word, undefined if they read none */
function integerOf(text: string): bigint | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const exact = BigInt(text);
  return BigInt.asIntN(64, exact) === exact ? exact : undefined;
}

/** What a server tells of itself in answer to HELLO. */
export interface ServerFacts {
  readonly server: 'redis' | 'valkey';
  /** As in `7.4.0`. */
  readonly version: string;
  /** By which this connection is known. */
  readonly id: number;
  readonly mode: 'standalone' | 'cluster';
  readonly role: 'master' | 'replica';
  /** The whole reply to MODULE LIST, in RESP2, if there is one. */
  readonly modules?: Buffer;
}

const MODULE_LIST = new Map(REPORTS).get('module|list');
const NO_MODULES = Buffer.from('*0\r\n');

/** @returns the answer to a HELLO that succeeded, in the protocol that is spoken now */
export function helloReply(facts: ServerFacts, protocol: Protocol): Buffer {
  const head =
    `${protocol === 3 ? '%7' : '*14'}\r\n${bulk('server')}${bulk(facts.server)}` +
    `${bulk('version')}${bulk(facts.version)}${bulk('proto')}:${protocol}\r\n` +
    `${bulk('id')}:${facts.id}\r\n${bulk('mode')}${bulk(facts.mode)}` +
    `${bulk('role')}${bulk(facts.role)}${bulk('modules')}`;
  const { modules } = facts;
  const list = modules?.[0] === TYPE.array ? modules : NO_MODULES;
  const shown = protocol === 3 ? translated(list, MODULE_LIST) : list;
  return Buffer.concat([Buffer.from(head, 'latin1'), shown]);
}
