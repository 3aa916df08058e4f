'use client';
import { useEffect } from 'react';
import { DevicesView } from '../collections/devices-view';
import { OfflineView } from '../collections/offline-view';
import { SearchView } from '../collections/search-view';
import { SettingsView } from '../collections/settings-view';
import { TrashView } from '../collections/trash-view';
import { WaitingView } from '../collections/waiting-view';
import { ConflictsView } from '../conflicts/conflicts-view';
import { EditorBackground } from '../editor/editor-background';
import { FilesView, useOpenFolder } from '../explorer/files-view';
import { usePlace } from '../navigation/location';
import { DropOverlay } from '../transfers/drop-overlay';
import { Tray } from '../transfers/tray';
import { Viewer } from '../viewer/viewer';
import { HeldNotice, InsecureNotice, SignedOutNotice } from './notices';
import { Sidebar, TabBar } from './sidebar';
import { TopBar } from './top-bar';

const TITLES = {
  files: 'Files',
  search: 'Search',
  trash: 'Trash',
  offline: 'Offline',
  waiting: 'Waiting changes',
  conflicts: 'Conflicts',
  devices: 'Devices',
  settings: 'Settings',
  'sign-in': 'Sign in',
  'sign-up': 'Sign up',
} as const;

/** Sidebar, top bar, the view the address names, tray and viewer above them. */
export function Shell() {
  const { view } = usePlace();
  const folder = useOpenFolder();
  useEffect(() => {
    document.title = `${view === 'files' ? folder.name || 'Files' : TITLES[view]} · Satchel`;
  }, [view, folder.name]);
  return (
    <div className="flex h-dvh flex-col">
      <InsecureNotice />
      <SignedOutNotice />
      <HeldNotice />
      <div className="flex min-h-0 flex-1">
        <Sidebar folder={folder} />
        <div className="flex min-w-0 flex-1 flex-col desk:pr-2 desk:pb-2">
          <TopBar />
          <main className="relative flex min-h-0 flex-1 flex-col overflow-hidden bg-surface desk:rounded-xl desk:border desk:border-line desk:shadow-1">
            {view === 'search' ? (
              <SearchView />
            ) : view === 'trash' ? (
              <TrashView />
            ) : view === 'offline' ? (
              <OfflineView />
            ) : view === 'waiting' ? (
              <WaitingView />
            ) : view === 'conflicts' ? (
              <ConflictsView />
            ) : view === 'devices' ? (
              <DevicesView />
            ) : view === 'settings' ? (
              <SettingsView />
            ) : (
              <FilesView folder={folder} />
            )}
          </main>
        </div>
      </div>
      <TabBar folder={folder} />
      <Tray />
      <Viewer />
      <EditorBackground />
      <DropOverlay folder={folder} />
    </div>
  );
}
