/**
 * What every answer says to a browser: nothing from elsewhere is loaded, nothing is shown in a frame of another site, nothing is guessed,
 * nothing is kept. There is no CORS: pages of other sites read no answer.
 */

/** `style-src`: components set styles of their own at run time; that runs no code. */
export const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const ALWAYS: Readonly<Record<string, string>> = {
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
}

/** A year, for this name only: what its neighbours speak is not ours to say. */
const TLS_ONLY = { 'strict-transport-security': 'max-age=31536000' } as const

export function securityHeaders(tls: boolean): readonly (readonly [name: string, value: string])[] {
  return Object.entries(tls ? { ...ALWAYS, ...TLS_ONLY } : ALWAYS)
}
