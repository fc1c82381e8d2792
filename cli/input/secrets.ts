import { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'
import { SecretReader } from './ask-secret.ts'

const ENV = 'env:'

/** Values of --secret: as given, from a variable of this process (`env:VAR`), or from stdin (`-`), which no process list shows. */
export async function readSecrets(pairs: ReadonlyMap<string, string>, shell: Shell): Promise<Readonly<Record<string, string>>> {
  const reader = new SecretReader(shell)
  const secrets: Record<string, string> = {}
  for (const [name, given] of pairs) secrets[name] = await secretValue(name, given, shell, reader)
  return secrets
}

async function secretValue(name: string, given: string, shell: Shell, reader: SecretReader): Promise<string> {
  if (given === '-') return reader.ask(name)
  if (!given.startsWith(ENV)) return given
  const variable = given.slice(ENV.length)
  const value = shell.env[variable]
  if (value === undefined) throw new Fault('INPUT_INVALID', { at: `--secret ${name}: the variable ${variable} is not set.` })
  return value
}
