import { Client } from '@postern/client/client.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'
import { httpFetch } from './http-fetch.ts'
import { readLogin } from './login-file.ts'

export interface Access {
  readonly url: string
  readonly token: string
}

/** The service on this machine, when nothing else is said. */
export const DEFAULT_URL = 'http://127.0.0.1:7400'

/**
 * Where and who: POSTERN_URL and POSTERN_TOKEN, then the sign-in of `postern login`. A token goes only to the service it
 * was given for: with another POSTERN_URL the sign-in's token is not used.
 */
export async function findAccess(shell: Shell): Promise<{ readonly url: string; readonly token: string | undefined }> {
  const given = shell.env['POSTERN_URL'] || undefined
  const token = shell.env['POSTERN_TOKEN'] || undefined
  if (given && token) return { url: given, token }
  const login = await readLogin(shell.configFolder)
  const url = given ?? login?.url ?? DEFAULT_URL
  const same = login !== undefined && sameService(login.url, url)
  return { url, token: token ?? (same ? login.token : undefined) }
}

/** A client that may act, or the fault that says what is missing. */
export async function connect(shell: Shell): Promise<{ readonly client: Client; readonly url: string }> {
  const { url, token } = await findAccess(shell)
  if (token === undefined) throw new Fault('TOKEN_MISSING', { at: `(service ${url})` })
  return { client: new Client({ url, token, fetch: httpFetch }), url }
}

const sameService = (one: string, other: string) => one.replace(/\/+$/, '') === other.replace(/\/+$/, '')
