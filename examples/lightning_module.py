"""A Lightning module with a cuesense policy: ``python examples/lightning_module.py PROFILE FOLDER``."""

import argparse
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cuesense import PolicyAugmentation, Profile


class Classifier(lightning.LightningModule):
    """A small network whose training batches are augmented on its device."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self.augment = PolicyAugmentation.from_profile(profile, "per_class")
        self.normalize = v2.Normalize([0.5] * 3, [0.25] * 3)
        self.network = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, len(profile.classes)),
        )

    def on_after_batch_transfer(self, batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Augment and normalize; in validation the module is in evaluation mode and images pass through."""
        images, labels = batch
        return self.normalize(self.augment(images, labels)), labels

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        images, labels = batch
        loss = nn.functional.cross_entropy(self.network(images), labels)
        self.log("loss", loss, on_epoch=True, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Return AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=3e-3)


def main() -> None:
    """Train for a few epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()

    pixels = v2.Compose([v2.Resize((64, 64)), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    data = ImageFolder(options.folder, transform=pixels)
    profile = Profile.read(options.profile)
    if data.classes != [entry.name for entry in profile.classes]:
        raise SystemExit("The folder's classes are not the profile's.")
    trainer = lightning.Trainer(
        max_epochs=options.epochs, logger=False, enable_checkpointing=False, enable_model_summary=False
    )
    trainer.fit(Classifier(profile), DataLoader(data, batch_size=32, shuffle=True))
    print(f"loss {float(trainer.callback_metrics['loss_epoch']):.3f}")


if __name__ == "__main__":
    main()
