import { Fault } from '@postern/protocol/fault.ts'
import type { Shell } from '../shell.ts'
import type { SecretReader } from './ask-secret.ts'

/** A new password: typed twice, since nobody sees it; piped in once. */
export async function askNewPassword(reader: SecretReader, shell: Pick<Shell, 'stdin'>): Promise<string> {
  const first = await reader.ask('New password (12 characters or more)')
  if (shell.stdin.isTTY && (await reader.ask('The same again')) !== first)
    throw new Fault('INPUT_INVALID', { at: 'The two are not the same.', remedy: 'Repeat the command.' })
  return first
}
