'use client';
import type { ComponentProps, MouseEvent } from 'react';
import { navigate } from './location';

/** A real link (middle click, copy address, screen readers) that stays in the page when clicked plainly. */
export function Link({ href, onClick, ...rest }: ComponentProps<'a'> & { readonly href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={follow} draggable={false} {...rest} />;
}
