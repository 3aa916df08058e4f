/** Every address of the server's own interface. Everything else belongs to the pages. */
export const API = '/api/v1';

export const ROUTES = {
  /** GET → `ServerInfo`. No sign-in needed. Also the reachability probe. */
  info: `${API}/info`,
  signUp: `${API}/accounts/sign-up`,
  signIn: `${API}/accounts/sign-in`,
  signOut: `${API}/accounts/sign-out`,
  /** GET → `Me`. */
  me: `${API}/accounts/me`,
  /** POST `PasswordChange`. */
  password: `${API}/accounts/password`,
  /** GET → `DeviceView[]`; PATCH `${devices}/:id` renames; DELETE `${devices}/:id` revokes. */
  devices: `${API}/devices`,
  /** GET → `NamespaceView[]`. */
  namespaces: `${API}/sync/namespaces`,
  /** POST `CommitRequest` → `CommitReply` (200 both ways; 4xx only for what is not a well-formed, allowed request). */
  commit: `${API}/sync/commit`,
  /** GET ?namespaceId&cursor (cursor absent: from the beginning) → `JournalPage`. */
  journal: `${API}/sync/journal`,
  /** POST `ManifestsRequest` → `ManifestsReply`. */
  manifests: `${API}/sync/manifests`,
  /** POST `MissingRequest` → `MissingReply`. */
  missing: `${API}/blocks/missing`,
  /** tus 1.0.0 endpoint; one upload is one pack; Upload-Metadata: `namespaceId`. */
  packs: `${API}/packs`,
  /** GET/HEAD `${files}/:namespaceId/:entryId/:contentRevision/content` (`?download=1` as attachment). */
  files: `${API}/files`,
  /** POST form fields `namespaceId`, `entryId` (repeated), `name` → a streamed ZIP as attachment. */
  zip: `${API}/zip`,
  /** socket.io path; events to the client: `notice` (Notice), `revoked`. */
  notices: `${API}/notices`,
} as const;

/** Address of one revision's bytes; immutable, so it may be cached for ever. */
export function contentAddress(file: { namespaceId: string; entryId: string; contentRevision: number }, download = false): string {
  return `${ROUTES.files}/${file.namespaceId}/${file.entryId}/${file.contentRevision}/content${download ? '?download=1' : ''}`;
}

/** Sent with every unsafe request by our own pages; other sites cannot set it without a preflight, which is refused. */
export const CSRF_HEADER = 'x-satchel';
export const CSRF_VALUE = '1';
