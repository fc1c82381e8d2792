/**
 * Passes to a node's console. Who can read its data folder has the secret and makes them by himself; the secret never travels, so a
 * program that has taken the port of a node that is stopped learns nothing that lasts. Pure.
 *
 *     code:     KIND.UNTIL.NONCE.MAC, in the address that `postern node console` prints; once
 *     session:  of the page, for such a code;  call: of one call of the command line
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import { PASS_MS } from '@postern/protocol/console-paths.ts'

export type PassKind = keyof typeof PASS_MS

interface MadePass {
  readonly kind: PassKind
  /** base64url */
  readonly secret: string
  readonly nonce: Uint8Array
  readonly now: number
}

export function makePass({ kind, secret, nonce, now }: MadePass): string {
  const head = `${kind}.${Math.round(now + PASS_MS[kind])}.${Buffer.from(nonce).toString('base64url')}`
  return `${head}.${macOf(head, secret).toString('base64url')}`
}

/** When it ends and which one it is; undefined when it is no pass of one of these kinds that is good now. */
export function openPass(
  pass: string,
  { kinds, secret, now }: { readonly kinds: readonly PassKind[]; readonly secret: string; readonly now: number },
): { readonly until: number; readonly nonce: string } | undefined {
  const [, head = '', kind = '', digits = '', nonce = '', mac = ''] =
    /^((code|session|call)\.(\d{1,15})\.([A-Za-z0-9_-]{16,64}))\.([A-Za-z0-9_-]{43})$/.exec(pass) ?? []
  const known = kinds.find((one) => one === kind)
  if (known === undefined || !timingSafeEqual(macOf(head, secret), Buffer.from(mac, 'base64url'))) return undefined
  const until = Number(digits)
  // Made under another clock: it would live for longer than it may.
  return until > now && until - now <= PASS_MS[known] + 1_000 ? { until, nonce } : undefined
}

const macOf = (head: string, secret: string): Buffer =>
  createHmac('sha256', Buffer.from(secret, 'base64url')).update(`postern-console/v1 ${head}`).digest()
