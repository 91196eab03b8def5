/**
 * Every way in which this program can fail, by a name that callers match on. Codes are public:
 * they are added, never renamed. `docs/errors.md` has a line for each.
 */
export type ErrorCode =
  // The peer broke the protocol: that connection ends.
  | 'FRAME_BAD_TYPE'
  | 'FRAME_BAD_LENGTH'
  | 'FRAME_NO_CRLF'
  | 'FRAME_TOO_LARGE'
  | 'REQUEST_MALFORMED'
  | 'LANE_OUT_OF_SYNC'
  // Redis or the network failed: retried or reported.
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_NOT_REDIS'
  | 'UPSTREAM_MOVED'
  | 'NOTIFICATIONS_UNAVAILABLE'
  | 'LISTEN_FAILED'
  | 'EMBEDDED_REDIS_FAILED'
  // The operator asked for something that cannot be.
  | 'CONFIG_INVALID'
  // We broke an invariant of our own.
  | 'CLIENT_BAD_EVENT'
  | 'LEDGER_BROKEN';

/** The one error class of this program. Match on `code`, show `message`. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
