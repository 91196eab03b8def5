/** Takes a line for the story, which is made up only if somebody listens. */
export type Teller = (line: () => string) => void;
