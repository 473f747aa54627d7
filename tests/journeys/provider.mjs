// An OpenID Connect provider for the journeys: `node provider.mjs ISSUER REDIRECT`.
//
// Whoever says that they are `moira@fife.example` is; the account is the name before the `@` unless `account+…` says otherwise.
import Provider from 'oidc-provider'

const [issuer, redirect] = process.argv.slice(2)
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'lgdp',
    client_secret: 'a secret between the two',
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  // The claims come in the token itself, as Entra's do.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  // `7#moira@fife.example` is account 7, whose address that is.
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => {
      const [account, email] = id.includes('#') ? id.split('#') : [id, id]
      return { sub: account, email, email_verified: !email.startsWith('unverified') }
    },
  }),
  cookies: { keys: ['a key'] },
})
provider.listen(new URL(issuer).port, '127.0.0.1')
