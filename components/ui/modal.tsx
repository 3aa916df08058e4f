'use client';
import { clsx } from 'clsx';
import { X } from 'lucide-react';
import { AlertDialog, Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { IconButton } from './button';

const SCRIM = 'fixed inset-0 z-40 animate-fade bg-scrim';
/** A card in the middle; on phones a sheet that rises from the lower edge. */
const CARD =
  'fixed z-40 flex flex-col bg-raised text-ink shadow-3 outline-none desk:top-1/2 desk:left-1/2 desk:max-h-[min(84dvh,760px)] desk:w-[calc(100vw-2rem)] desk:-translate-x-1/2 desk:-translate-y-1/2 desk:animate-pop desk:rounded-lg desk:border desk:border-line phone:inset-x-0 phone:bottom-0 phone:max-h-[92dvh] phone:animate-rise phone:rounded-t-xl phone:pb-[env(safe-area-inset-bottom)]';

export interface ModalProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly description?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  readonly footer?: ReactNode;
  /** Where the focus goes when it closes, when not to what had it before. */
  readonly onCloseFocus?: (event: Event) => void;
}

export function Modal({ open, onClose, title, description, children, footer, className, onCloseFocus }: ModalProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={SCRIM} />
        <Dialog.Content
          className={clsx(CARD, className ?? 'desk:max-w-md')}
          {...(description ? {} : { 'aria-describedby': undefined })}
          {...(onCloseFocus ? { onCloseAutoFocus: onCloseFocus } : {})}
        >
          <div className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="truncate pt-1 font-semibold text-lg">{title}</Dialog.Title>
              {description && <Dialog.Description className="mt-1 text-ink-2">{description}</Dialog.Description>}
            </div>
            <Dialog.Close asChild>
              <IconButton label="Close" className="-mr-2">
                <X aria-hidden />
              </IconButton>
            </Dialog.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{children}</div>
          {footer && (
            <div className="flex flex-wrap justify-end gap-2 border-line border-t px-5 py-3.5 phone:[&>button]:flex-1">{footer}</div>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export interface ConfirmProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  /** The buttons that do something; Cancel is added. */
  readonly actions: ReactNode;
  readonly cancel?: string;
}

/** A question that must be answered before anything else. */
export function Confirm({ open, onClose, title, children, actions, cancel = 'Cancel' }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={SCRIM} />
        <AlertDialog.Content className={clsx(CARD, 'desk:max-w-md')}>
          <div className="min-h-0 overflow-y-auto px-5 pt-5 pb-5">
            <AlertDialog.Title className="font-semibold text-lg">{title}</AlertDialog.Title>
            <AlertDialog.Description asChild>
              <div className="mt-2 text-ink-2">{children}</div>
            </AlertDialog.Description>
          </div>
          <div className="flex flex-wrap justify-end gap-2 px-5 pb-5 phone:flex-col-reverse">
            <AlertDialog.Cancel className="inline-flex h-9 items-center justify-center rounded-md border border-line bg-raised px-3.5 font-medium shadow-1 hover:bg-hover phone:h-11">
              {cancel}
            </AlertDialog.Cancel>
            {actions}
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

/** The phone's menu: rises from the lower edge. */
export function Sheet({
  open,
  onClose,
  title,
  children,
}: {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={SCRIM} />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-0 bottom-0 z-40 mx-auto flex max-h-[88dvh] max-w-lg animate-rise flex-col rounded-t-xl bg-raised pb-[max(12px,env(safe-area-inset-bottom))] shadow-3 outline-none"
        >
          <div aria-hidden className="mx-auto mt-2.5 h-1 w-9 rounded-full bg-pressed" />
          <Dialog.Title className="truncate px-5 pt-3 pb-2 font-semibold text-md">{title}</Dialog.Title>
          <div className="min-h-0 overflow-y-auto px-2">{children}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
