import { readFile } from 'node:fs/promises'
import { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Environment } from '../calls/proxy.ts'

/** How this node reaches Vault and who it is there: the variables that Vault's own programs read. */
export interface VaultSettings {
  readonly address: URL
  readonly namespace: string | undefined
  /** PEM. */
  readonly authority: string | undefined
  readonly login:
    | GivenToken
    | { readonly by: 'approle'; readonly mount: string; readonly roleId: string; readonly secretId: () => Promise<string> }
}

/** A token that somebody else made. */
export type GivenToken =
  | { readonly by: 'token'; readonly token: Secret }
  /** Read anew each time: an agent puts another there. */
  | { readonly by: 'token-file'; readonly path: string }

export const TOKEN_REMEDY =
  'Give the node another: in VAULT_TOKEN_FILE, which is read anew each time so that an agent can renew it, or an AppRole, which signs in by itself.'

export const placeOf = (login: GivenToken): string => (login.by === 'token' ? 'VAULT_TOKEN' : `VAULT_TOKEN_FILE (${login.path})`)

export async function givenToken(login: GivenToken): Promise<Secret> {
  return login.by === 'token' ? login.token : tokenOf(await text(login.path, 'VAULT_TOKEN_FILE'), placeOf(login))
}

/** What no header can hold is no token; node:http would say so without a word of where it came from. */
function tokenOf(words: string, place: string): Secret {
  const token = words.trim()
  if (!/^[\x21-\x7e]+$/.test(token)) throw no(`${place} holds no token`)
  return new Secret(token)
}

/** Throws REFERENCE_DENIED when the node has none, or says half of it. */
export async function vaultSettings(environment: Environment): Promise<VaultSettings> {
  const address = environment['VAULT_ADDR']
  if (address === undefined || address === '') throw no('VAULT_ADDR is not set')
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw no('VAULT_ADDR is no http(s) URL')
  const authorityFile = environment['VAULT_CACERT']
  return {
    address: url,
    namespace: environment['VAULT_NAMESPACE'] || undefined,
    authority: authorityFile ? await certificates(authorityFile) : undefined,
    login: loginOf(environment),
  }
}

function loginOf(environment: Environment): VaultSettings['login'] {
  const { VAULT_TOKEN: token, VAULT_TOKEN_FILE: tokenFile, VAULT_ROLE_ID: roleId } = environment
  const { VAULT_SECRET_ID: secretId, VAULT_SECRET_ID_FILE: secretIdFile } = environment
  if (roleId) {
    const mount = environment['VAULT_APPROLE_PATH'] || 'approle'
    if (secretIdFile) return { by: 'approle', mount, roleId, secretId: () => text(secretIdFile, 'VAULT_SECRET_ID_FILE') }
    if (secretId) return { by: 'approle', mount, roleId, secretId: async () => secretId }
    throw no('VAULT_ROLE_ID is set, and neither VAULT_SECRET_ID nor VAULT_SECRET_ID_FILE')
  }
  if (tokenFile) return { by: 'token-file', path: tokenFile }
  if (token) return { by: 'token', token: tokenOf(token, 'VAULT_TOKEN') }
  throw no('none of VAULT_TOKEN_FILE, VAULT_TOKEN and VAULT_ROLE_ID is set')
}

/** Anything else node:tls would pass over, and trust nobody. */
async function certificates(path: string): Promise<string> {
  const pem = await text(path, 'VAULT_CACERT')
  if (!/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(pem)) throw no(`VAULT_CACERT: ${path} holds no certificate in PEM`)
  return pem
}

async function text(path: string, variable: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw no(`${variable}: ${path} cannot be read`, cause)
  }
}

const no = (why: string, cause?: unknown) =>
  new Fault('REFERENCE_DENIED', { at: `(Vault: ${why})`, remedy: 'Set VAULT_ADDR and a way to sign in where the node is started.', cause })
