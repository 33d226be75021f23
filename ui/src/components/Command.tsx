import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './Command.module.css';

/** A command or setting that mends something, and a button that copies it. */
export function Command({ text, prompt = true }: { text: string; prompt?: boolean }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className={classes.command} onClick={() => void copy()} aria-label={`Copy: ${text}`}>
      {prompt && <span className="dim">$ </span>}
      {text}
      {copied ? <IconCheck size={13} stroke={1.7} /> : <IconCopy size={13} stroke={1.7} />}
    </button>
  );
}
