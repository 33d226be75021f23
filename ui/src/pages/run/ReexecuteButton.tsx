import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { Strategy } from '../../api/runActions';
import type { RunStatus } from '../../api/types';
import classes from './ReexecuteButton.module.css';

interface ReexecuteButtonProps {
  status: RunStatus;
  busy: boolean;
  onAct: (strategy: Strategy) => void;
  onChoose: () => void;
  /** Whether its menu is open: a key of the page opens it too. */
  open: boolean;
  onOpen: (open: boolean) => void;
}

const FIRST: Partial<Record<RunStatus, { strategy: Strategy; label: string }>> = {
  FAILURE: { strategy: 'from_failure', label: 'Re-execute from failure' },
  CANCELED: { strategy: 'from_failure', label: 'Re-execute what is left' },
};

/** What is wanted most as one button, the other ways in its menu. */
export function ReexecuteButton({ status, busy, onAct, onChoose, open, onOpen }: ReexecuteButtonProps) {
  const first = FIRST[status] ?? { strategy: 'all', label: 'Re-execute' };
  const variant = first.strategy === 'from_failure' ? 'filled' : 'default';
  return (
    <div className={classes.split} role="group" aria-label="Re-execute">
      {first.strategy === 'from_failure' && (
        <Button className={classes.all} onClick={() => onAct('all')} disabled={busy}>
          All steps
        </Button>
      )}
      <Button variant={variant} className={classes.first} onClick={() => onAct(first.strategy)} loading={busy}>
        {first.label}
      </Button>
      <Menu position="bottom-end" opened={open} onChange={onOpen}>
        <Menu.Target>
          <Button variant={variant} className={classes.more} aria-label="Other ways to re-execute" disabled={busy}>
            <IconChevronDown size={14} stroke={1.7} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {first.strategy === 'from_failure' && (
            <Menu.Item onClick={() => onAct('from_failure')}>
              <Choice name={first.label}>what succeeded is taken over</Choice>
            </Menu.Item>
          )}
          <Menu.Item onClick={() => onAct('all')}>
            <Choice name="Re-execute all steps">nothing is taken over</Choice>
          </Menu.Item>
          <Menu.Item onClick={onChoose}>
            <Choice name="Selected steps…">choose rows of the chart</Choice>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

function Choice({ name, children }: { name: string; children: string }) {
  return (
    <>
      {name} <span className="dim">{children}</span>
    </>
  );
}
