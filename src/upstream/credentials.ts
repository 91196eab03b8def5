/** With what one logs in, as words of a request: the bytes of UTF-8, each as a character. */
export interface Credentials {
  /** Undefined: a password alone, which is the default user's. */
  readonly user: string | undefined;
  readonly password: string;
}
