import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inlineScriptHashes, inlineScriptsOfBuild } from './security-headers';

const hashOf = (code: string) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`;

describe('hashes of inline scripts', () => {
  test('are taken of the code exactly as it stands, once each, and not of scripts with an address', () => {
    const html = `<head><script src="/a.js" async=""></script><script>\n self.x = "é<b>"; </script><SCRIPT id="y">1</SCRIPT ></head>
      <script>1</script><script type="module" src=/b.js>ignored</script><script></script>`;
    expect(inlineScriptHashes(html)).toEqual([hashOf('\n self.x = "é<b>"; '), hashOf('1')]);
  });

  test('of a build are those of all its pages, in folders too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'satchel-pages-'));
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'index.html'), '<script>1</script>');
    await writeFile(join(folder, 'deep', 'page.html'), '<script>2</script><script>1</script>');
    await writeFile(join(folder, 'page.js'), '<script>3</script>');
    expect(await inlineScriptsOfBuild(folder)).toEqual([hashOf('1'), hashOf('2')].sort());
    await rm(folder, { recursive: true });
    expect(await inlineScriptsOfBuild(folder)).toEqual([]);
  });
});
