/** Goes through web pages as a browser without scripts does: cookies, redirects, forms and links; each address it was at is kept. */

export interface Visited {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly html: string
}

const MOST_HOPS = 20

export class WebVisitor {
  /** By host and port: nearer to the truth than real browsers, whose cookies reach over ports. */
  readonly #cookies = new Map<string, Map<string, string>>()
  /** May change where it goes before it goes there. */
  onTheWay: (url: URL) => URL | undefined = (url) => url

  /** Follows redirects to the end; to nowhere where `onTheWay` says so. */
  async visit(url: URL | string, form?: Readonly<Record<string, string>>): Promise<Visited> {
    let next: URL = new URL(url)
    let fields = form
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      const changed = this.onTheWay(next)
      if (!changed) return { url: next, status: 0, headers: new Headers(), html: '' }
      next = changed
      const response = await this.#send(next, fields)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status >= 400 || location === null)
        return { url: next, status: response.status, headers: response.headers, html: await response.text() }
      await response.body?.cancel()
      next = new URL(location, next)
      fields = undefined
    }
    throw new Error(`Too many redirects, at last to ${next.href}.`)
  }

  /** Sends the first form of the page, with its hidden fields. */
  submit(page: Visited, fields: Readonly<Record<string, string>> = {}): Promise<Visited> {
    const action = /<form[^>]*\saction="([^"]+)"/.exec(page.html)?.[1]
    if (action === undefined) throw new Error(`There is no form at ${page.url.href} (${page.status}):\n${page.html.slice(0, 2_000)}`)
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    return this.visit(new URL(unescaped(action), page.url), { ...Object.fromEntries(hidden), ...fields })
  }

  /** Where the first link of this class leads to. */
  linkOf(page: Visited, pattern: RegExp = /<a class="go" href="([^"]+)"/): string {
    const found = pattern.exec(page.html)?.[1]
    if (found === undefined) throw new Error(`There is no such link at ${page.url.href} (${page.status}):\n${page.html.slice(0, 2_000)}`)
    return unescaped(found)
  }

  /** As a page of the site would ask, with its cookies. */
  async ask(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(url, { method, headers: { cookie: this.cookiesOf(new URL(url)), ...headers } })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }

  cookiesOf(url: URL): string {
    return [...(this.#cookies.get(url.host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async #send(url: URL, form: Readonly<Record<string, string>> | undefined): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: this.cookiesOf(url) },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    const jar = this.#cookies.get(url.host) ?? new Map<string, string>()
    this.#cookies.set(url.host, jar)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
}

const unescaped = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
