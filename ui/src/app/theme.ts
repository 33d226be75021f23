import {
  ActionIcon, Button, Checkbox, createTheme, Drawer, Menu, Modal, NumberInput, Popover, SegmentedControl, Switch, TextInput,
  Tooltip, type CSSVariablesResolver,
} from '@mantine/core';

const small = { size: 'xs' } as const;

export const theme = createTheme({
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '12.5px', sm: '13px', md: '13px' },
  lineHeights: { xs: '20px', sm: '20px', md: '20px' },
  defaultRadius: 5,
  cursorType: 'pointer',
  focusRing: 'auto',
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs', variant: 'default' } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 'sm', variant: 'subtle' } }),
    TextInput: TextInput.extend({ defaultProps: small }),
    NumberInput: NumberInput.extend({ defaultProps: small }),
    Checkbox: Checkbox.extend({ defaultProps: small }),
    Switch: Switch.extend({ defaultProps: { size: 'xs', withThumbIndicator: false } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: small }),
    Modal: Modal.extend({
      defaultProps: { transitionProps: { duration: 120, transition: 'fade' }, radius: 6, withCloseButton: false, padding: 0, centered: true },
    }),
    Drawer: Drawer.extend({ defaultProps: { transitionProps: { duration: 120 } } }),
    Menu: Menu.extend({ defaultProps: { transitionProps: { duration: 0 }, radius: 6, shadow: 'md', withinPortal: true } }),
    Popover: Popover.extend({ defaultProps: { transitionProps: { duration: 0 }, radius: 6, shadow: 'md' } }),
    Tooltip: Tooltip.extend({ defaultProps: { transitionProps: { duration: 0 }, openDelay: 400 } }),
  },
});

const tokens = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--text-3)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-default-border': 'var(--line-2)',
  '--mantine-color-placeholder': 'var(--text-3)',
  '--mantine-color-error': 'var(--fail)',
  '--mantine-color-disabled': 'var(--sunken)',
  '--mantine-color-disabled-color': 'var(--text-3)',
  '--mantine-color-disabled-border': 'var(--line-2)',
  '--mantine-primary-color-filled': 'var(--ink)',
  '--mantine-primary-color-filled-hover': 'var(--ink)',
  '--mantine-primary-color-contrast': 'var(--ink-text)',
  '--mantine-primary-color-5': 'var(--focus)',
  '--mantine-primary-color-6': 'var(--focus)',
};

/** Mantine takes its colours from our tokens, which know both schemes. */
export const resolver: CSSVariablesResolver = () => ({ variables: {}, light: tokens, dark: tokens });
