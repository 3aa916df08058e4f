'use client';
import { clsx } from 'clsx';
import type { LucideIcon } from 'lucide-react';
import { ContextMenu, DropdownMenu } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import { Sheet } from './modal';
import { usePhone } from './use-media';

/** One thing a menu offers. `null` in a list of them is a separator. */
export interface MenuAction {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly run: () => void;
  /** As a person reads it: “F2”, “Ctrl C”. */
  readonly shortcut?: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** One of several choices, this one chosen or not. */
  readonly checked?: boolean;
}
export type MenuActions = readonly (MenuAction | null)[];

const PANEL = 'z-50 min-w-56 animate-pop rounded-lg border border-line bg-raised p-1.5 text-ink shadow-2 outline-none';
const ITEM =
  'group flex h-8 select-none items-center gap-2.5 rounded-md px-2.5 text-base outline-none data-[disabled]:opacity-45 data-[highlighted]:bg-hover';

function Inside({ action }: { readonly action: MenuAction }) {
  const Icon = action.icon;
  return (
    <>
      <Icon
        aria-hidden
        className={clsx('size-4 shrink-0', action.danger ? 'text-danger' : action.checked ? 'text-accent' : 'text-ink-3')}
      />
      <span className={clsx('flex-1 truncate', action.danger && 'text-danger', action.checked && 'font-medium text-accent')}>
        {action.label}
      </span>
      {action.shortcut && (
        <span aria-hidden className="pl-6 text-ink-3 text-xs">
          {action.shortcut}
        </span>
      )}
    </>
  );
}

/** The key of a separator is the action before it. */
function keyed(actions: MenuActions): { readonly key: string; readonly action: MenuAction | null }[] {
  return actions.map((action, index) => ({ key: action?.label ?? `after ${actions[index - 1]?.label ?? 'start'}`, action }));
}

/** What a right click on `children` opens. Nothing opens while there is nothing to offer. */
export function ContextActions({
  actions,
  children,
  onClosed,
}: {
  readonly actions: MenuActions;
  readonly children: ReactNode;
  readonly onClosed?: () => void;
}) {
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      {actions.length > 0 && (
        <ContextMenu.Portal>
          <ContextMenu.Content
            className={PANEL}
            collisionPadding={8}
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              onClosed?.();
            }}
          >
            {keyed(actions).map(({ key, action }) =>
              action === null ? (
                <ContextMenu.Separator key={key} className="mx-2 my-1.5 h-px bg-line" />
              ) : (
                <ContextMenu.Item key={key} className={ITEM} disabled={action.disabled ?? false} onSelect={action.run}>
                  <Inside action={action} />
                </ContextMenu.Item>
              ),
            )}
          </ContextMenu.Content>
        </ContextMenu.Portal>
      )}
    </ContextMenu.Root>
  );
}

export interface ActionMenuProps {
  readonly title: string;
  readonly actions: MenuActions;
  /** The button that opens it; takes a ref and an onClick. */
  readonly children: ReactNode;
  readonly align?: 'start' | 'end';
  readonly header?: ReactNode;
}

/** A drop-down menu; on phones the same choices as a sheet. */
export function ActionMenu({ title, actions, children, align = 'start', header }: ActionMenuProps) {
  const phone = usePhone();
  const [open, setOpen] = useState(false);
  if (phone) {
    return (
      <>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside is what is focused and pressed; this only hears its click. */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above; a key press on the button is a click. */}
        <span className="contents" onClick={() => setOpen(true)}>
          {children}
        </span>
        <ActionSheet title={title} actions={actions} open={open} onClose={() => setOpen(false)} />
      </>
    );
  }
  return (
    <DropdownMenu.Root open={open} onOpenChange={setOpen} modal={false}>
      <DropdownMenu.Trigger asChild>{children}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={PANEL} align={align} sideOffset={6} collisionPadding={8}>
          {header}
          {keyed(actions).map(({ key, action }) =>
            action === null ? (
              <DropdownMenu.Separator key={key} className="mx-2 my-1.5 h-px bg-line" />
            ) : (
              <DropdownMenu.Item key={key} className={ITEM} disabled={action.disabled ?? false} onSelect={action.run}>
                <Inside action={action} />
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** The choices as a sheet of large rows, for thumbs. */
export function ActionSheet({
  title,
  actions,
  open,
  onClose,
}: {
  readonly title: string;
  readonly actions: MenuActions;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  return (
    <Sheet open={open} onClose={onClose} title={title}>
      <div role="menu" aria-label={title}>
        {keyed(actions).map(({ key, action }) =>
          action === null ? (
            <hr key={key} className="mx-3 my-1.5 h-px border-0 bg-line" />
          ) : (
            <button
              key={key}
              type="button"
              role="menuitem"
              disabled={action.disabled}
              className="flex h-12 w-full items-center gap-3.5 rounded-md px-3 text-left text-md active:bg-pressed disabled:opacity-45 [&_svg]:size-5"
              onClick={() => {
                onClose();
                action.run();
              }}
            >
              <Inside action={{ ...action, shortcut: undefined }} />
            </button>
          ),
        )}
      </div>
    </Sheet>
  );
}
