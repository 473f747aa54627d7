//! What can be done, one name for each line of the matrix.

use std::fmt;

/// Something that a route or a verb does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    SeeRounds,
    PlanRounds,
    SeeObligation,
    SeeSubmission,
    FillTemplate,
    Send,
    Check,
    Compare,
    Submit,
    Withdraw,
    SignOff,
    Decide,
    DeclareNil,
    SeeMessages,
    WriteMessage,
    DownloadFile,
    DownloadMarked,
    SeeFindings,
    CountFindings,
    Explain,
    AskForWaiver,
    DecideWaiver,
    AskForExtension,
    DecideExtension,
    DownloadDataset,
    DownloadOwnFigures,
    TraceValue,
    SeeReleases,
    DraftRelease,
    ApproveRelease,
    SeeOrganisations,
    SeePeople,
    InvitePeople,
    AllowOwnSignOff,
    ManageClients,
    SeeAudit,
}

impl Action {
    /// In the order of the matrix.
    pub const ALL: [Action; 36] = [
        Action::SeeRounds,
        Action::PlanRounds,
        Action::SeeObligation,
        Action::SeeSubmission,
        Action::FillTemplate,
        Action::Send,
        Action::Check,
        Action::Compare,
        Action::Submit,
        Action::Withdraw,
        Action::SignOff,
        Action::Decide,
        Action::DeclareNil,
        Action::SeeMessages,
        Action::WriteMessage,
        Action::DownloadFile,
        Action::DownloadMarked,
        Action::SeeFindings,
        Action::CountFindings,
        Action::Explain,
        Action::AskForWaiver,
        Action::DecideWaiver,
        Action::AskForExtension,
        Action::DecideExtension,
        Action::DownloadDataset,
        Action::DownloadOwnFigures,
        Action::TraceValue,
        Action::SeeReleases,
        Action::DraftRelease,
        Action::ApproveRelease,
        Action::SeeOrganisations,
        Action::SeePeople,
        Action::InvitePeople,
        Action::AllowOwnSignOff,
        Action::ManageClients,
        Action::SeeAudit,
    ];

    /// Its name in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::SeeRounds => "rounds.see",
            Action::PlanRounds => "rounds.plan",
            Action::SeeObligation => "obligation.see",
            Action::SeeSubmission => "submission.see",
            Action::FillTemplate => "template.fill",
            Action::Send => "submission.send",
            Action::Check => "submission.check",
            Action::Compare => "submission.compare",
            Action::Submit => "submission.submit",
            Action::Withdraw => "submission.withdraw",
            Action::SignOff => "submission.sign-off",
            Action::Decide => "submission.decide",
            Action::DeclareNil => "submission.declare-nil",
            Action::SeeMessages => "messages.see",
            Action::WriteMessage => "messages.write",
            Action::DownloadFile => "file.download",
            Action::DownloadMarked => "file.download-marked",
            Action::SeeFindings => "findings.see",
            Action::CountFindings => "findings.count",
            Action::Explain => "findings.explain",
            Action::AskForWaiver => "waiver.ask",
            Action::DecideWaiver => "waiver.decide",
            Action::AskForExtension => "extension.ask",
            Action::DecideExtension => "extension.decide",
            Action::DownloadDataset => "dataset.download",
            Action::DownloadOwnFigures => "dataset.download-own",
            Action::TraceValue => "value.trace",
            Action::SeeReleases => "release.see",
            Action::DraftRelease => "release.draft",
            Action::ApproveRelease => "release.approve",
            Action::SeeOrganisations => "organisations.see",
            Action::SeePeople => "people.see",
            Action::InvitePeople => "people.invite",
            Action::AllowOwnSignOff => "people.allow-own-sign-off",
            Action::ManageClients => "clients.manage",
            Action::SeeAudit => "audit.see",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
