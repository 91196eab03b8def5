import { Outflow } from '../../src/client/outflow.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { FrameScanner } from '../../src/resp/scanner.ts';
import { type Rule, translationFor } from '../../src/translate/rules.ts';
import { Translator } from '../../src/translate/translator.ts';
import { wordsOf } from './reply-text.ts';

/**
 * Reads replies as a connection does: a scanner finds where they end, a translator gets what lies
 * between.
 *
 * @param pieces the replies' bytes, cut anywhere
 * @param rules  of the replies, in their order; the last one is also for those behind it
 * @returns what was sent, piece by piece
 */
export function feed(pieces: readonly Buffer[], rules: readonly (Rule | undefined)[]): Buffer[] {
  const sent: Buffer[] = [];
  const out = new Outflow({ send: (bytes) => sent.push(bytes) });
  const scanner = new FrameScanner();
  const translator = new Translator(out);
  let count = 0;
  for (const piece of pieces) {
    out.begin(piece);
    for (let at = 0; at < piece.length; ) {
      if (!scanner.midFrame) translator.begin(rules[Math.min(count++, rules.length - 1)]);
      const end = scanner.next(piece, at);
      const to = end === -1 ? piece.length : end;
      translator.feed(piece, at, to);
      at = to;
    }
    out.passTo(piece.length);
    out.end();
  }
  return sent;
}

const TABLE = CommandTable.builtin();

/** @param request see `wordsOf` */
export function ruleFor(request: string): Rule | undefined {
  const words = wordsOf(request);
  const info = TABLE.findText(words[0]?.toLowerCase() ?? '');
  const text = (index: number) => words[index] ?? '';
  return info && translationFor(info, { count: words.length, text });
}
