import type { HttpRequest, HttpResponse, HttpStack } from 'tus-js-client';

/** tus over fetch, for service workers and Node, which have no XMLHttpRequest. fetch tells no progress: it comes when the body is through. */
export function fetchHttpStack(fetch: typeof globalThis.fetch = globalThis.fetch): HttpStack {
  return {
    getName: () => 'FetchHttpStack',
    createRequest: (method, url) => new FetchRequest(method, url, fetch),
  };
}

class FetchRequest implements HttpRequest {
  private readonly headers = new Headers();
  private readonly aborter = new AbortController();
  private onProgress: (bytesSent: number) => void = () => undefined;

  constructor(
    private readonly method: string,
    private readonly url: string,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  getMethod(): string {
    return this.method;
  }
  getURL(): string {
    return this.url;
  }
  setHeader(header: string, value: string): void {
    this.headers.set(header, value);
  }
  getHeader(header: string): string | undefined {
    return this.headers.get(header) ?? undefined;
  }
  setProgressHandler(handler: (bytesSent: number) => void): void {
    this.onProgress = handler;
  }

  async send(body: Blob | null | undefined): Promise<HttpResponse> {
    const { method, headers, fetch } = this;
    const response = await fetch(this.url, {
      method,
      headers,
      body: body ?? null,
      signal: this.aborter.signal,
      credentials: 'same-origin',
    });
    const text = await response.text();
    if (body) this.onProgress(body.size);
    return {
      getStatus: () => response.status,
      getHeader: (header) => response.headers.get(header) ?? undefined,
      getBody: () => text,
      getUnderlyingObject: () => response,
    };
  }

  async abort(): Promise<void> {
    this.aborter.abort();
  }
  getUnderlyingObject(): unknown {
    return undefined;
  }
}
