import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconPlayerPause } from '@tabler/icons-react';
import type { PauseChoice } from './PauseDialog';

const CHOICES: { what: PauseChoice; label: string }[] = [
  { what: 'queue', label: 'The queue…' },
  { what: 'job', label: 'A job…' },
  { what: 'tag', label: 'Runs with a tag…' },
  { what: 'pool', label: 'A pool…' },
  { what: 'location', label: 'A location…' },
];

/** What may be paused. */
export function PauseMenu({ onChoose, narrow }: { onChoose: (what: PauseChoice) => void; narrow: boolean }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          h={narrow ? 32 : undefined}
          leftSection={<IconPlayerPause size={13} stroke={1.7} />}
          rightSection={<IconChevronDown size={13} stroke={1.7} />}
        >
          Pause
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {CHOICES.map(({ what, label }) => (
          <Menu.Item key={what} onClick={() => onChoose(what)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
