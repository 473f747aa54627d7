//! Signing in with an account that somebody has elsewhere: `OpenID` Connect's code flow with PKCE.
//!
//! A [`Provider`] is one organisation's directory, such as its Microsoft Entra tenant. [`Providers::start`] says where to send a browser,
//! and [`Providers::finish`] who came back. It keeps nothing: what has to be remembered in between is the caller's.
//! It knows nothing of people, roles or databases.

mod fetch;
mod provider;

use std::time::Duration;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    Scope, TokenResponse as _,
};

pub use provider::{Provider, ProviderError};

/// How long a provider may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Signatures that only the provider can make. Not HMAC, whose key is no secret of the provider's alone.
const SIGNATURES: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
];

/// The directories that people may sign in with, and how they are reached.
#[derive(Debug, Clone)]
pub struct Providers {
    known: Vec<Provider>,
    http: reqwest::Client,
    /// Where browsers come back to; each provider has to know it.
    redirect: String,
}

/// Where to send a browser, and what has to be remembered until it comes back.
#[derive(Clone)]
pub struct Begun {
    pub url: String,
    /// It stands in the token that answers this request, and in no other.
    pub nonce: String,
    /// Proves that whoever fetches the token is who asked for it.
    pub verifier: String,
}

/// Who came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    /// The provider's own name for the account, which never changes and is given to nobody else.
    pub subject: String,
    /// A work address that the provider may speak for; `None` where it gave none.
    pub email: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("no provider is called {0}")]
    Unknown(String),
    #[error("{provider} can't be used: {why}")]
    Provider { provider: String, why: String },
    #[error("what {provider} answered is not to be trusted: {why}")]
    NotToBeTrusted { provider: String, why: String },
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Providers {
    /// `redirect` is the page that browsers are sent back to.
    pub fn new(known: Vec<Provider>, redirect: impl Into<String>) -> Result<Self, reqwest::Error> {
        // Whoever is first wins; all are ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            known,
            http: reqwest::Client::builder()
                // A provider that sends us elsewhere could have us ask our own network.
                .redirect(reqwest::redirect::Policy::none())
                .timeout(PATIENCE)
                .build()?,
            redirect: redirect.into(),
        })
    }

    pub fn known(&self) -> &[Provider] {
        &self.known
    }

    /// The provider of the organisation that an address is of.
    pub fn of_address(&self, email: &str) -> Option<&Provider> {
        self.known
            .iter()
            .find(|provider| provider.speaks_for(email))
    }

    /// `state` comes back with the browser; `email` is whom it is about, if that is known.
    pub async fn start(
        &self,
        provider_id: &str,
        state: String,
        email: Option<&str>,
    ) -> Result<Begun, OidcError> {
        let provider = self.provider(provider_id)?;
        let client = self.client(provider).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if let Some(email) = email {
            request = request.set_login_hint(LoginHint::new(email.to_owned()));
        }
        let (url, _, nonce) = request.url();
        Ok(Begun {
            url: url.into(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Changes the code that a browser came back with for who it is.
    ///
    /// `said_issuer` is whom the answer says it is from, where it does (RFC 9207).
    pub async fn finish(
        &self,
        provider_id: &str,
        code: String,
        nonce: String,
        verifier: String,
        said_issuer: Option<&str>,
    ) -> Result<Identity, OidcError> {
        let provider = self.provider(provider_id)?;
        let unusable = |why: String| OidcError::Provider {
            provider: provider.id.clone(),
            why,
        };
        let not_to_be_trusted = |why: String| OidcError::NotToBeTrusted {
            provider: provider.id.clone(),
            why,
        };
        if said_issuer.is_some_and(|said| said != provider.issuer) {
            return Err(not_to_be_trusted("it is from another issuer".to_owned()));
        }
        let client = self.client(provider).await?;
        let http = |request| fetch::fetch(&self.http, request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| unusable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&http)
            .await
            // A code that was used before, or is somebody else's, ends here.
            .map_err(|error| not_to_be_trusted(error.to_string()))?;
        let token = answer
            .id_token()
            .ok_or_else(|| not_to_be_trusted("it has no id token".to_owned()))?;
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
        let claims = token
            .claims(&verifier, &Nonce::new(nonce))
            .map_err(|error| not_to_be_trusted(error.to_string()))?;
        let is_verified = claims.email_verified().unwrap_or(true);
        let email = claims
            .email()
            .map(|email| email.as_str())
            .filter(|_| is_verified)
            // Entra's name for it.
            .or_else(|| claims.preferred_username().map(|name| name.as_str()))
            .filter(|email| provider.speaks_for(email));
        Ok(Identity {
            issuer: provider.issuer.clone(),
            subject: claims.subject().to_string(),
            email: email.map(str::to_lowercase),
        })
    }

    fn provider(&self, id: &str) -> Result<&Provider, OidcError> {
        self.known
            .iter()
            .find(|provider| provider.id == id)
            .ok_or_else(|| OidcError::Unknown(id.to_owned()))
    }

    /// What the provider says of itself is asked anew each time, its keys with it: they change without notice.
    async fn client(&self, provider: &Provider) -> Result<Client, OidcError> {
        let unusable = |why: String| OidcError::Provider {
            provider: provider.id.clone(),
            why,
        };
        let issuer =
            IssuerUrl::new(provider.issuer.clone()).map_err(|error| unusable(error.to_string()))?;
        let http = |request| fetch::fetch(&self.http, request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .map_err(|error| unusable(error.to_string()))?;
        let redirect =
            RedirectUrl::new(self.redirect.clone()).map_err(|error| unusable(error.to_string()))?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(provider.client_id.clone()),
            Some(ClientSecret::new(provider.client_secret.clone())),
        );
        Ok(client.set_redirect_uri(redirect))
    }
}
