/** What `RequestScanner.advance` has found. */
export const FOUND = {
  /** The chunk is used up inside a request. */
  more: 0,
  /** The command name is complete: `name`, `nameLength` and `wordCount` hold. Call again. */
  name: 1,
  /** A request of words is complete. */
  end: 2,
  /** An inline request is complete: its line goes from the request's first byte to `at`. */
  inline: 3,
  /** A request without words (`*0`, `*-1`) is complete. No server answers it. */
  empty: 4,
} as const;
/** One of {@link FOUND}. */
export type Found = (typeof FOUND)[keyof typeof FOUND];
