// CodeMirror as the Launchpad uses it: YAML, problems under their lines, names that fit as completions.

import { autocompletion, completionKeymap, startCompletion, type CompletionContext } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { nextProblem, problemLines } from './problemLines';
import { pathAtLine } from './yamlPlaces';
import type { Field } from './schema';

export interface EditorHooks {
  onChange: (text: string) => void;
  onPath: (path: string[]) => void;
  onLaunch: () => void;
  onTags: () => void;
  fieldsAt: (path: string[]) => Field[];
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--code-key)' },
  { tag: [tags.string, tags.content, tags.special(tags.string)], color: 'var(--code-text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: tags.comment, color: 'var(--code-comment)' },
]);

const looks = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: '12.5px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '22px', paddingTop: '8px' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-3)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '52px', padding: '0 16px 0 0' },
  '.cm-activeLine': { backgroundColor: 'transparent', boxShadow: 'inset 2px 0 0 var(--focus)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused': { outline: 'none' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--select) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--surface)', border: '1px solid var(--line-2)', color: 'var(--text)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--select)', color: 'var(--text)' },
});

export function extensions(hooks: EditorHooks): Extension[] {
  const report = EditorView.updateListener.of((update) => {
    if (update.docChanged) hooks.onChange(update.state.doc.toString());
    if (update.docChanged || update.selectionSet) hooks.onPath(pathAtCursor(update.state));
  });
  return [
    lineNumbers(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    yaml(),
    syntaxHighlighting(colours),
    looks,
    problemLines,
    autocompletion({ override: [(context) => completions(context, hooks)], icons: false }),
    keymap.of([
      { key: 'Mod-Enter', run: () => (hooks.onLaunch(), true) },
      { key: 'Alt-t', run: () => (hooks.onTags(), true) },
      { key: 'F8', run: nextProblem },
      { key: 'Ctrl-Space', run: startCompletion },
      // Escape and then Tab leaves the editor, as in every CodeMirror.
      indentWithTab,
      ...completionKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.contentAttributes.of({ 'aria-label': 'Run config, YAML' }),
    report,
  ];
}

export function pathAtCursor(state: EditorState): string[] {
  const line = state.doc.lineAt(state.selection.main.head);
  return pathAtLine(state.doc.toString(), line.number - 1);
}

function completions(context: CompletionContext, hooks: EditorHooks) {
  const word = context.matchBefore(/^\s*[\w-]*/) ?? context.matchBefore(/(?<=^\s*)[\w-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const fields = hooks.fieldsAt(pathAtCursor(context.state));
  const from = word.from + (word.text.length - word.text.trimStart().length);
  return {
    from,
    options: fields.map((field) => ({
      label: field.name,
      apply: `${field.name}: `,
      detail: field.type,
      info: field.description ?? undefined,
      boost: field.required ? 1 : 0,
    })),
  };
}
