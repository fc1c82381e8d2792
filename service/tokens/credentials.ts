import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '@postern/protocol/fault.ts'
import type { Caller } from '../rights/caller.ts'
import { isOurs } from '../sign-in/same-origin.ts'
import { cookieNames, readCookie } from '../sign-in/sign-in-cookie.ts'
import { SIGN_IN_PREFIX, type SignInService } from '../sign-in/sign-in-service.ts'
import type { TokenService } from './token-service.ts'

/** Of a request that may come from a browser. */
export interface Browser {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

export interface CredentialsParts {
  readonly tokens: TokenService
  readonly signIns: SignInService
  readonly publicUrl: () => string
}

const BEARER = /^Bearer +(\S+)$/i

/** Whatever proves who asks: the token of a program, the token of a sign-in, or a browser's cookie. */
export class Credentials {
  readonly #parts: CredentialsParts

  constructor(parts: CredentialsParts) {
    this.#parts = parts
  }

  /** What a request comes with. A header counts before a cookie. */
  caller(authorization: string | undefined, browser?: Browser): Caller | Promise<Caller> {
    const { tokens, signIns, publicUrl } = this.#parts
    if (authorization === undefined && browser?.headers.cookie !== undefined) {
      const token = readCookie(browser.headers.cookie, cookieNames(publicUrl()).signIn)
      if (token !== undefined) {
        if (!isOurs(browser.method, browser.headers, publicUrl())) throw new Fault('CROSS_SITE_REFUSED')
        return signIns.byToken(token)
      }
    }
    const token = BEARER.exec(authorization ?? '')?.[1]
    return token?.startsWith(SIGN_IN_PREFIX) ? signIns.byToken(token) : tokens.authenticate(authorization)
  }

  /** One alone, such as the password of PostgreSQL's protocol. */
  byToken(token: string): Caller | Promise<Caller> {
    const { tokens, signIns } = this.#parts
    return token.startsWith(SIGN_IN_PREFIX) ? signIns.byToken(token) : tokens.byToken(token)
  }
}
