/**
 * Who this tab is to the node. The pass is kept for the tab alone and sent by hand in a header: no other site, and nothing at another port
 * of this machine, gets it from the browser.
 */

import type { SessionAnswer } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useSyncExternalStore } from 'react'

const KEPT = 'postern-console'

export type Session =
  | { readonly at: 'out'; readonly why?: Fault }
  | { readonly at: 'opening' }
  | { readonly at: 'in'; readonly pass: string }

const kept = sessionStorage.getItem(KEPT)
let session: Session = kept === null ? { at: 'out' } : { at: 'in', pass: kept }
const listeners = new Set<() => void>()

function become(next: Session): void {
  session = next
  if (next.at === 'in') sessionStorage.setItem(KEPT, next.pass)
  else sessionStorage.removeItem(KEPT)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useSession = (): Session => useSyncExternalStore(subscribe, () => session)

/** The address that `postern node console` prints ends in a code, which is good once; it does not stay in the address bar. */
export async function openByAddress(): Promise<void> {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1]
  if (code === undefined) return
  history.replaceState(null, '', location.pathname)
  become({ at: 'opening' })
  try {
    const { session: pass } = await ask<SessionAnswer>(CONSOLE_PATHS.session, { method: 'POST', body: { code } })
    become({ at: 'in', pass })
  } catch (cause) {
    become({ at: 'out', why: Fault.from(cause) })
  }
}

interface Asking {
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** The answer's JSON, or its Fault. A pass that is not taken any more ends the session. */
export async function ask<Answer>(path: string, asking: Asking = {}): Promise<Answer> {
  return (await send(path, asking)).json() as Promise<Answer>
}

/** Saves what is answered under the name that the node gives it. */
export async function save(path: string): Promise<void> {
  const response = await send(path, {})
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'postern-node.tar.gz'
  const url = URL.createObjectURL(await response.blob())
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}

async function send(path: string, { method = 'GET', body, signal }: Asking): Promise<Response> {
  const headers: Record<string, string> = {}
  if (session.at === 'in') headers['authorization'] = `Bearer ${session.pass}`
  if (method === 'POST') headers['content-type'] = 'application/json'
  const sent = method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}
  const response = await fetch(path, { method, headers, ...sent, ...(signal ? { signal } : {}) }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new Fault('NODE_NOT_RUNNING', { cause })
  })
  if (response.ok) return response
  const fault = Fault.fromJson((await response.json()) as Parameters<typeof Fault.fromJson>[0])
  if (fault.code === 'CONSOLE_DENIED' && session.at === 'in') become({ at: 'out', why: fault })
  throw fault
}
