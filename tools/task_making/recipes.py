"""All recipes by name."""

from task_making.drums import STROKE, TONIC
from task_making.emotion import EMOTION
from task_making.environment import ENVIRONMENT
from task_making.keywords import KEYWORD_SPOTTING
from task_making.languages import LANGUAGE_IDENTIFICATION
from task_making.percussion import PERCUSSION
from task_making.pitch import PITCH
from task_making.recipe import Recipe
from task_making.scenes import SCENES
from task_making.speakers import SPEAKER_COUNT

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        KEYWORD_SPOTTING,
        LANGUAGE_IDENTIFICATION,
        SPEAKER_COUNT,
        EMOTION,
        PITCH,
        PERCUSSION,
        STROKE,
        TONIC,
        ENVIRONMENT,
        SCENES,
    )
}
