/** Whether a request that a browser sends with its cookie was made by a page of ours. */
import type { IncomingHttpHeaders } from 'node:http'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The cookie is SameSite=Strict already; this is the second lock, for browsers without it and for other ports of our host. A request that
 * changes something must say where it comes from, and that must be us: every browser of this decade sends `Sec-Fetch-Site` or `Origin`.
 */
export function isOurs(method: string, headers: IncomingHttpHeaders, publicUrl: string): boolean {
  if (SAFE.has(method)) return true
  const { origin, host } = headers
  if (origin !== undefined && !ourOrigin(origin, host, publicUrl)) return false
  const site = headers['sec-fetch-site']
  return site === undefined ? origin !== undefined : site === 'same-origin'
}

function ourOrigin(origin: string, host: string | undefined, publicUrl: string): boolean {
  if (!URL.canParse(origin)) return false
  const from = new URL(origin)
  return from.origin === new URL(publicUrl).origin || (host !== undefined && from.host === host.toLowerCase())
}
