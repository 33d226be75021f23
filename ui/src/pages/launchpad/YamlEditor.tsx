import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { extensions, type EditorHooks } from './editor';
import { setProblems } from './problemLines';
import type { Problem } from './yamlPlaces';
import './problems.css';

interface YamlEditorProps extends EditorHooks {
  text: string;
  problems: Problem[];
}

export function YamlEditor({ text, problems, ...hooks }: YamlEditorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(hooks);
  latest.current = hooks;
  const first = useRef(text);

  useEffect(() => {
    const current: EditorHooks = {
      onChange: (value) => latest.current.onChange(value),
      onPath: (path) => latest.current.onPath(path),
      onLaunch: () => latest.current.onLaunch(),
      onTags: () => latest.current.onTags(),
      fieldsAt: (path) => latest.current.fieldsAt(path),
    };
    const state = EditorState.create({ doc: first.current, extensions: extensions(current) });
    const made = new EditorView({ state, parent: parent.current ?? undefined });
    view.current = made;
    made.focus();
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    // Text that came from elsewhere (defaults, another run); what was typed is there already.
    if (editor && editor.state.doc.toString() !== text) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    }
  }, [text]);

  const told = JSON.stringify(problems);
  useEffect(() => {
    view.current?.dispatch({ effects: setProblems.of(JSON.parse(told) as Problem[]) });
  }, [told]);

  return <div ref={parent} style={{ height: '100%', minHeight: 0, overflow: 'hidden' }} />;
}
