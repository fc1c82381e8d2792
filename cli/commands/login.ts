import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

export function loginCommand(program: Command, shell: Shell): void {
  program
    .command('login URL')
    .description('remember a service and a token; asks for the token, or takes it from POSTERN_TOKEN or stdin')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nThe first token is that of the administrator: admin-token in the data folder of the service.')
    .action(async (url: string, options: { readonly json?: boolean }) => {
      const [{ Client }, { httpFetch }, { writeLogin }, { SecretReader }] = await Promise.all([
        import('@postern/client/client.ts'),
        import('../api/http-fetch.ts'),
        import('../api/login-file.ts'),
        import('../input/ask-secret.ts'),
      ])
      const token = (shell.env['POSTERN_TOKEN'] || (await new SecretReader(shell).ask('Token'))).trim()
      // A token that does not work is not remembered.
      await new Client({ url, token, fetch: httpFetch }).gateways.list(shell.signal)
      const path = await writeLogin(shell.configFolder, { url, token })
      if (options.json) return printJson(shell, { url, path })
      printLines(shell, `Signed in to ${url}. The token is in ${path}; delete that file to sign out.`)
    })
}
