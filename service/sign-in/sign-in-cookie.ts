/** The cookie of a browser that is signed in: out of reach of scripts, and sent only to pages of ours that were opened from ours. */

export interface CookieNames {
  /** With TLS the prefix makes browsers refuse one that a neighbour (another port, a subdomain) sets. */
  readonly signIn: string
  readonly flow: string
  readonly attributes: string
}

export function cookieNames(publicUrl: string): CookieNames {
  const secure = publicUrl.startsWith('https:')
  return {
    signIn: secure ? '__Host-postern' : 'postern',
    flow: secure ? '__Secure-postern-oidc' : 'postern-oidc',
    attributes: secure ? 'HttpOnly; Secure' : 'HttpOnly',
  }
}

/** The value of one cookie; undefined when there is none, or more than one of the name: then somebody else has set one. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  const found = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return found.length === 1 ? found[0] : undefined
}

export const signInCookie = ({ signIn, attributes }: CookieNames, token: string, seconds: number) =>
  `${signIn}=${token}; Path=/; Max-Age=${Math.max(0, Math.floor(seconds))}; ${attributes}; SameSite=Strict`

/** Lax: the way back from the provider is a link from another site. */
export const flowCookie = ({ flow, attributes }: CookieNames, secret: string, seconds: number) =>
  `${flow}=${secret}; Path=/v1/oidc; Max-Age=${seconds}; ${attributes}; SameSite=Lax`
