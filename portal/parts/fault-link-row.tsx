import { Anchor, type AnchorProps, Group } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type FaultLink, type FaultPlace, linksOf } from './fault-links.ts'

interface FaultLinkRowProps {
  readonly code: string
  readonly place: FaultPlace
}

/** The pages on which a fault is mended, in one click. */
export function FaultLinkRow({ code, place }: FaultLinkRowProps) {
  const links = linksOf(code, place)
  if (links.length === 0) return null
  return (
    <Group gap="md" mt={4}>
      {links.map((link) => (
        <LinkTo key={JSON.stringify(link)} link={link} />
      ))}
    </Group>
  )
}

const LOOK = { size: 'sm', underline: 'always' } as const satisfies AnchorProps

function LinkTo({ link }: { readonly link: FaultLink }) {
  switch (link.to) {
    case 'store-settings':
    case 'store-tables': {
      const [tab, label] = link.to === 'store-tables' ? (['browse', 'See what is in'] as const) : (['settings', 'Settings of'] as const)
      return (
        <Anchor {...LOOK} renderRoot={(props) => <Link to="/stores/$store" params={{ store: link.store }} search={{ tab }} {...props} />}>
          {label} {link.store}
        </Anchor>
      )
    }
    case 'gateway':
      return (
        <Anchor {...LOOK} renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: link.gateway }} {...props} />}>
          Nodes of {link.gateway}
        </Anchor>
      )
    case 'gateway-setting': {
      const [params, hash] = [{ gateway: link.gateway }, `setting-${link.setting}`]
      return (
        <Anchor {...LOOK} renderRoot={(props) => <Link to="/gateways/$gateway/settings" params={params} hash={hash} {...props} />}>
          Open the setting
        </Anchor>
      )
    }
    case 'verification':
      return (
        <Anchor
          {...LOOK}
          renderRoot={(props) => <Link to="/runs/$run" params={{ run: link.run }} search={{ tab: 'verification' }} {...props} />}
        >
          See where they differ
        </Anchor>
      )
    case 'copy-anew':
      return (
        <Anchor {...LOOK} renderRoot={(props) => <Link to="/copies/new" search={{ like: link.run }} {...props} />}>
          Change the copy and start it anew
        </Anchor>
      )
    default:
      return link satisfies never
  }
}
