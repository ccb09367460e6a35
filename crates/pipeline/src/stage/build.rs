//! The stage `build`: makes the service's image.

use super::{
    end::Stopped,
    stage_run::{OnCancel, StageRun},
};
use crate::{BuildFacts, BuildRequest, StagePhase};
use fairway_model::config::Build;
use std::sync::Arc;

impl StageRun {
    /// Builds the image, unless that was done before from the same.
    pub(crate) async fn build(&mut self, build: &Build) -> Result<(), Stopped> {
        let request = BuildRequest {
            service: self.ctx.request.checkout.service.name.clone(),
            tree: self.tree()?,
            dockerfile: build.dockerfile.clone(),
            target: build.target.clone(),
            args: build.args.clone(),
        };
        let tools = Arc::clone(&self.ctx.tools);
        let images = &tools.images;
        let fingerprint = self
            .talking(OnCancel::Drop, async |talk| images.fingerprint(&request, &talk).await)
            .await?;
        let key = BuildFacts { fingerprint }.key();
        self.result.key = Some(key);
        if self.take_cached(key).await? {
            return Ok(());
        }
        self.take_turn(Some(key)).await?;
        if self.take_cached(key).await? {
            return Ok(());
        }
        self.record_start(Some(key)).await?;
        self.enter(StagePhase::Running).await;
        let image =
            self.talking(OnCancel::Drop, async |talk| images.build(&request, &talk).await).await?;
        self.result.outputs.image = Some(image);
        Ok(())
    }
}
