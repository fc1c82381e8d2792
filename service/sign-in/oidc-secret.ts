import { readFile } from 'node:fs/promises'
import { Fault } from '@postern/protocol/fault.ts'

const MOST_BYTES = 4_096

export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder "secrets" of the data folder. */
  readonly file: (name: string) => string
}

/**
 * What `env:POSTERN_OIDC_…` or `file:NAME` stands for. Only these variables and this folder: whoever administers the service shall not
 * be able to send other secrets of its machine to a provider of his own.
 */
export async function readOidcSecret(reference: string, { env, file }: SecretPlaces): Promise<string> {
  const [kind, name = ''] = reference.split(':', 2)
  const found = kind === 'env' ? env[name] : await readFile(file(name), 'utf8').catch(() => undefined)
  const secret = found?.slice(0, MOST_BYTES).trim()
  if (!secret) throw new Fault('OIDC_SECRET_MISSING', { at: reference })
  return secret
}
