import { Button, Modal, NumberInput, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { DialogHead } from '../../../components/DialogHead';
import classes from '../../../components/Dialog.module.css';

interface AddPoolDialogProps {
  opened: boolean;
  onClose: () => void;
  onAdd: (name: string, limit: number) => void;
}

/** A limit for a pool, also before any op uses it. */
export function AddPoolDialog({ opened, onClose, onAdd }: AddPoolDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} size={420}>
      <AddPoolForm onClose={onClose} onAdd={onAdd} />
    </Modal>
  );
}

function AddPoolForm({ onClose, onAdd }: Omit<AddPoolDialogProps, 'opened'>) {
  const [name, setName] = useState('');
  const [limit, setLimit] = useState<number | string>(1);
  const ready = name.trim() !== '' && typeof limit === 'number';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    onAdd(name.trim(), limit);
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <DialogHead title="Add pool" onClose={onClose} />
      <div className={classes.body}>
        <TextInput label="Pool" placeholder="warehouse" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <NumberInput label="Limit" value={limit} onChange={setLimit} min={0} allowDecimal={false} />
        <p className="dim-2">Ops name it with pool="{name.trim() || 'warehouse'}". As many of their steps as the limit says run at once.</p>
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" variant="filled" disabled={!ready}>
          Add
        </Button>
      </footer>
    </form>
  );
}
