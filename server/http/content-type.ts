import { create } from 'content-disposition';
import mime from 'mime';

/** How a file's bytes are presented to a browser. */
export interface Presentation {
  readonly contentType: string;
  readonly contentDisposition: string;
}

/**
 * Rule: nothing a user uploaded ever runs as our origin.
 *
 * A stored file can reach a browser as a document (address bar, frame) or as a subresource (`<script src>`, `<img src>`),
 * and for the latter neither Content-Disposition nor the response's own policy counts, only the type. Therefore the type is
 * chosen from lists, never taken from the name as it is:
 * - images, sound and video keep their types: they cannot run anything;
 * - SVG keeps its type, because `<img>` needs it; opened as a document, the sandboxing policy takes its scripts away;
 * - everything else that is text (HTML, XML, scripts, style sheets, JSON, source code) is plain text: with `nosniff`, browsers
 *   neither render it nor accept it as a script, a style sheet or a service worker;
 * - PDF is an attachment: browsers' viewers refuse to start inside a sandboxed document, and outside of one they would have
 *   our origin. Pages of ours that show PDF fetch the bytes;
 * - the rest is bytes, as an attachment.
 */
const INLINE_TYPES: ReadonlySet<string> = new Set([
  ...['png', 'jpeg', 'gif', 'webp', 'avif', 'apng', 'bmp', 'tiff', 'heic', 'heif', 'jxl', 'x-icon', 'vnd.microsoft.icon', 'svg+xml'].map(
    (type) => `image/${type}`,
  ),
  ...['mpeg', 'mp4', 'aac', 'ogg', 'opus', 'wav', 'x-wav', 'wave', 'webm', 'flac', 'x-flac', 'x-m4a', 'midi'].map(
    (type) => `audio/${type}`,
  ),
  ...['mp4', 'webm', 'ogg', 'quicktime', 'mpeg', 'x-matroska', 'x-m4v', '3gpp', 'x-msvideo'].map((type) => `video/${type}`),
]);

const TEXT_TYPES =
  /^text\/|^application\/(json|xml|javascript|ecmascript|typescript|x-sh|x-httpd-php|sql|toml|yaml|graphql|x-tex|rtf)$|[+](json|xml|yaml)$/;

/** The policy every stored file is sent under: an opaque origin without scripts, forms, plugins and foreign requests. */
export const CONTENT_POLICY =
  "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/** Chooses type and disposition for the file's name; `download` asks for an attachment in any case. */
export function presentation(name: string, download: boolean): Presentation {
  const guess = mime.getType(name) ?? 'application/octet-stream';
  const inline = INLINE_TYPES.has(guess);
  const text = !inline && TEXT_TYPES.test(guess);
  const shown = !download && (inline || text);
  return {
    contentType: inline ? guess : text && shown ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    contentDisposition: create(name, { type: shown ? 'inline' : 'attachment' }),
  };
}
