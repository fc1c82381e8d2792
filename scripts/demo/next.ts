/** What one can do with a demo that stays up: an account for the portal, and where to click, type and look. */
import { randomBytes } from 'node:crypto'
import type { Client } from '@postern/client/client.ts'
import { GATEWAY } from './cluster.ts'

interface Account {
  readonly name: string
  readonly password: string
}

interface NextParts {
  readonly url: string
  readonly tokenFile: string
  readonly lake: string
  readonly account: Account
}

/** Gone with the demo. */
export async function makeAccount(client: Pick<Client, 'people'>): Promise<Account> {
  const account = { name: 'visitor', password: randomBytes(8).toString('hex') }
  await client.people.create({ ...account, role: 'administrator' })
  return account
}

/** Titles, and the lines under each. */
export function nextSteps({ url, tokenFile, lake, account }: NextParts): readonly (readonly [string, readonly string[]])[] {
  return [
    [
      'Click',
      [
        `${url}    the portal: sign in as ${account.name} with the password ${account.password}`,
        `${url}/runs    what was copied: which node did what, and what came of the one that was killed`,
        `${url}/gateways/${GATEWAY}    both nodes, each second`,
        `${url}/docs    the API, to read and to try`,
      ],
    ],
    [
      'Type, in another terminal, in this folder',
      [
        `export POSTERN_URL=${url} POSTERN_TOKEN=$(cat ${tokenFile})`,
        `npx postern node list ${GATEWAY}`,
        'npx postern query shop "select title, imdb_rating from movies order by imdb_votes desc nulls last limit 5"',
        'npx postern copy shop lake --from weather --to weather.csv',
        'npx postern run list',
        `curl -H "Authorization: Bearer $POSTERN_TOKEN" -H 'content-type: application/json' \\\n  -d '{"sql":"select count(*) from flights"}' ${url}/v1/stores/shop/query`,
      ],
    ],
    ['Look', [`${lake}    what was copied`]],
  ]
}
