/** The few pages of the way through a provider: plain, without scripts, telling nothing that the browser does not know. */
import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1d2733;background:#fff}' +
  'a.go{display:inline-block;padding:.5rem 1.2rem;border-radius:.4rem;background:#1f5fa8;color:#fff;text-decoration:none}' +
  'code{font-size:1.3rem;letter-spacing:.08em}small{color:#5b6773}' +
  '@media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#14191f}small{color:#9aa7b3}}'
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export interface PageParts {
  readonly title: string
  readonly paragraphs: readonly string[]
  /** A link to go on by. */
  readonly link?: { readonly to: string; readonly text: string }
  /** Go on at once. By a page and not by a redirect: the cookie of the sign-in is not sent on the way from another site. */
  readonly onTo?: string
  readonly compare?: string
  readonly small?: string
}

export function sendPage(reply: FastifyReply, status: number, parts: PageParts): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    .serializer((value: unknown) => String(value))
    .send(pageOf(parts))
}

function pageOf({ title, paragraphs, link, onTo, compare, small }: PageParts): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    onTo === undefined ? '' : `<meta http-equiv="refresh" content="0; url=${escaped(onTo)}">`,
    `<title>${escaped(title)} · Postern</title><style>${STYLE}</style></head><body><h1>${escaped(title)}</h1>`,
    ...paragraphs.map((text) => `<p>${escaped(text)}</p>`),
    compare === undefined ? '' : `<p><code>${escaped(compare)}</code></p>`,
    link === undefined ? '' : `<p><a class="go" href="${escaped(link.to)}">${escaped(link.text)}</a></p>`,
    small === undefined ? '' : `<p><small>${escaped(small)}</small></p>`,
    '</body></html>',
  ].join('')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
