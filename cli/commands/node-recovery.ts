/** `postern node recovery-key`: made and shown on the machine of a node, typed back, and kept by a person. */
import type { Secret } from '@postern/base/log.ts'
import type { Command } from 'commander'
import { SecretReader } from '../input/ask-secret.ts'
import { note, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface RecoveryFlags {
  readonly data: string
  readonly json?: boolean
}

export function recoveryCommand(group: Command, shell: Shell, defaultData: string): void {
  group
    .command('recovery-key')
    .description(
      "make the gateway's recovery key, on the machine of a node that has its key; shown once. An older one opens nothing any more",
    )
    .option('--data <dir>', "the node's data folder; the node may be running", defaultData)
    .option('--json', 'a line {"recoveryKey"}, then the key is read back from stdin, then a line with the result')
    .action((flags: RecoveryFlags) => makeRecoveryKey(flags, shell))
}

async function makeRecoveryKey({ data, json }: RecoveryFlags, shell: Shell): Promise<void> {
  const [{ renewRecoveryKey }, { systemRandom }] = await Promise.all([
    import('@postern/node/vault/recovery.ts'),
    import('@postern/base/random.ts'),
  ])
  const reader = new SecretReader(shell)
  const confirm = async (key: Secret, gateway: string) => {
    if (json) printLines(shell, JSON.stringify({ gateway, recoveryKey: key.reveal() }))
    else printLines(shell, `Recovery key of gateway ${gateway}, shown this once:`, '', `  ${key.reveal()}`, '')
    if (!json) note(shell, 'Write it down and keep it where no machine reads it: with it, and a join, all credentials of the gateway open.')
    return await reader.ask('Type it back')
  }
  const { gateway, fingerprint } = await renewRecoveryKey({ data, clock: shell.clock, random: systemRandom, confirm })
  if (json) return printLines(shell, JSON.stringify({ gateway, fingerprint, confirmed: true }))
  printLines(shell, `It is good from now on. With it, a gateway whose nodes are all gone is restored: postern node join ... --recovery-key`)
}

/** Of --recovery-key: asked for (also "-"), of a variable (env:VAR), or as it was given. */
export async function recoveryKeyOf(given: string | true, shell: Shell): Promise<Secret> {
  const [{ Secret: Hidden }, { readSecrets }] = await Promise.all([import('@postern/base/log.ts'), import('../input/secrets.ts')])
  const what = 'recovery key'
  return new Hidden((await readSecrets(new Map([[what, given === true ? '-' : given]]), shell))[what] ?? '')
}
