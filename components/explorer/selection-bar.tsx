'use client';
import { MoreHorizontal, X } from 'lucide-react';
import { formatCount } from '../pure/format';
import { IconButton } from '../ui/button';
import { ActionMenu, type MenuActions } from '../ui/menu';
import { Tip } from '../ui/tip';

/** Shown instead of the tools while something is selected: how much, the nearest actions, and all others. */
export function SelectionBar({
  count,
  actions,
  near,
  onClear,
}: {
  readonly count: number;
  readonly actions: MenuActions;
  readonly near: readonly string[];
  readonly onClear: () => void;
}) {
  const quick = actions.flatMap((action) => (action !== null && near.includes(action.label) ? [action] : []));
  return (
    <div role="toolbar" aria-label="Selection" className="flex items-center gap-0.5">
      <span className="mr-1.5 whitespace-nowrap font-medium text-accent text-sm tabular-nums">
        {formatCount(count, 'selected', 'selected')}
      </span>
      {quick.map((action) => (
        <Tip key={action.label} text={action.label}>
          <IconButton label={`${action.label} the selection`} onClick={action.run} className={action.danger ? 'hover:text-danger' : ''}>
            <action.icon aria-hidden />
          </IconButton>
        </Tip>
      ))}
      <ActionMenu title={formatCount(count, 'item')} actions={actions} align="end">
        <IconButton label="More actions">
          <MoreHorizontal aria-hidden />
        </IconButton>
      </ActionMenu>
      <IconButton label="Clear the selection" onClick={onClear}>
        <X aria-hidden />
      </IconButton>
    </div>
  );
}
