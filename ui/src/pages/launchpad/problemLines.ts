import { StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view';
import type { Problem } from './yamlPlaces';

export const setProblems = StateEffect.define<Problem[]>();

/** The sentence under a line. */
class Message extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: Message): boolean {
    return other.text === this.text;
  }

  toDOM(): HTMLElement {
    const box = document.createElement('div');
    box.className = 'launchpad-problem';
    box.setAttribute('role', 'alert');
    box.textContent = this.text;
    return box;
  }
}

const marked = Decoration.line({ class: 'launchpad-problem-line' });

function decorate(problems: Problem[], doc: Text): DecorationSet {
  const ranges = problems.flatMap((problem) => {
    const line = doc.line(Math.min(Math.max(1, problem.line), doc.lines));
    const message = Decoration.widget({ widget: new Message(problem.message), block: true, side: 1 });
    return [marked.range(line.from), message.range(line.to)];
  });
  return Decoration.set(ranges, true);
}

/** Problems of the last judgement, moved along with the text until the next one. */
export const problemLines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (shown, transaction) => {
    const told = transaction.effects.find((effect) => effect.is(setProblems));
    return told ? decorate(told.value as Problem[], transaction.state.doc) : shown.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Moves to the next line with a problem, from the last to the first. */
export function nextProblem(view: EditorView): boolean {
  const places: number[] = [];
  view.state.field(problemLines).between(0, view.state.doc.length, (from, _to, value) => {
    if (value === marked) places.push(from);
  });
  const here = view.state.doc.lineAt(view.state.selection.main.head).from;
  const next = places.find((place) => place > here) ?? places[0];
  if (next === undefined) return false;
  view.dispatch({ selection: { anchor: view.state.doc.lineAt(next).to }, scrollIntoView: true });
  view.focus();
  return true;
}
