'use client';
import { Sparkles } from 'lucide-react';
import { useEffect, useState } from 'react';
import { applyUpdate, checkForUpdate, registerServiceWorker } from '@/lib/sync/adapters/browser/service-worker-registration';
import { Button } from '../ui/button';

const LOOK_MILLISECONDS = 30 * 60_000;

/** Registers the service worker and tells when a new version is ready; the person says when to change over. */
export function UpdatePrompt() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void registerServiceWorker(() => setReady(true));
    const timer = setInterval(() => void checkForUpdate(), LOOK_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  if (!ready) return null;
  return (
    <div
      role="status"
      className="fixed top-3 left-1/2 z-50 flex -translate-x-1/2 animate-rise items-center gap-3 whitespace-nowrap rounded-full border border-line bg-raised py-1.5 pr-1.5 pl-4 shadow-3"
    >
      <Sparkles aria-hidden className="size-4 text-accent" />
      <span className="text-sm">A new version is ready</span>
      <Button look="primary" className="h-8 rounded-full" onClick={applyUpdate}>
        Reload
      </Button>
    </div>
  );
}
