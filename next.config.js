// Every address a person can see is the same page: it reads the address itself and moves with history.pushState,
// so that opening a folder needs no network. The service worker answers all of them from its copy of `/`.
const PLACES = [
  'files',
  'recent',
  'offline',
  'waiting',
  'conflicts',
  'search',
  'shared',
  'trash',
  'devices',
  'settings',
  'sign-in',
  'sign-up',
];

/** @type {import('next').NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  generateBuildId: () => process.env.SATCHEL_BUILD_ID ?? null,
  typescript: { tsconfigPath: 'tsconfig.json' },
  rewrites: async () =>
    PLACES.flatMap((place) => [
      { source: `/${place}`, destination: '/' },
      { source: `/${place}/:rest*`, destination: '/' },
    ]),
};

export default config;
