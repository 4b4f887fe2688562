"""Scores of poses: made cases whose answers are known, and invariants."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from selfmva.core.skeletons import SKELETONS, Skeleton
from selfmva.errors import InputError
from selfmva.metrics.pose import Similarity, as_shelf14, fit_similarity, score
from selfmva.pose import Poses3D

SHELF = SKELETONS["shelf14"]
LEG = Skeleton("leg", ("left_knee", "left_ankle"))


def people(*joints: np.ndarray, ids: tuple[int, ...] = (), scores: float | list[float] = 1.0, skeleton=SHELF) -> Poses3D:
    every = np.array(joints, dtype=np.float64).reshape(-1, len(skeleton), 3)
    sure = np.broadcast_to(np.reshape(scores, (-1, 1)), every.shape[:2]).astype(float)
    return Poses3D(every, sure, np.array(ids or range(len(every))), skeleton=skeleton)


def body(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 2, (14, 3))


def test_a_second_pose_of_a_person_is_wrong() -> None:
    true = people(body(0), body(1))
    found = people(body(0), body(0), body(1), scores=[0.9, 0.8, 0.7])
    result = score([true], [found])
    # right, wrong, right: recall .5 at precision 1, recall 1 at precision 2/3
    assert result.average_precision[0.05] == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert result.recall[0.05] == 1


def test_who_is_missed_lowers_recall_and_precision() -> None:
    result = score([people(body(0), body(1))], [people(body(1))])
    assert result.average_precision[0.025] == result.recall[0.025] == 0.5
    assert result.pck[0.025] == 0.5
    assert (result.mpjpe, result.people, result.found) == (0, 2, 1)
    nobody = score([people(body(0))], [people()])
    assert (nobody.average_precision[0.15], nobody.pcp) == (0, 0)
    assert np.isnan(nobody.mpjpe)


@pytest.mark.parametrize(("miss", "pcp"), [(0.199, 1.0), (0.201, 0.0)])
def test_a_part_is_correct_up_to_half_its_length(miss: float, pcp: float) -> None:
    leg = np.array([[0.0, 0, 0.5], [0, 0, 0.1]])
    found = people(leg + [miss, 0, 0], skeleton=LEG)
    assert score([people(leg, skeleton=LEG)], [found]).pcp == pcp


def test_parts_are_of_people_and_have_names() -> None:
    wrong = body(0)
    wrong[SHELF.index("left_wrist")] += 9
    result = score([people(body(0), body(5), ids=(4, 7))], [people(wrong, body(5))], farthest=2.0)
    assert result.pcp_of_people[4]["lower arms"] == 0.5
    assert result.pcp_of_people[7]["all"] == 1
    assert set(result.pcp_of_people[4]) == {
        "lower legs", "upper legs", "lower arms", "upper arms", "head", "torso", "all"
    }  # fmt: skip
    assert result.pcp_of_people[4]["all"] == 0.9  # of ten parts
    assert score([people(body(0), body(5), ids=(4, 7))], [people(wrong, body(5))], people=[7], farthest=2.0).pcp == 1
    assert result.to_dataframe().loc[4, "head"] == 1


def test_another_world_is_laid_on_the_true_one() -> None:
    truth = [people(body(t), body(t + 50)) for t in range(6)]
    turn = cv2.Rodrigues(np.array([1.0, 2, -0.5]))[0]
    found = [people(*(0.3 * one.joints[::-1] @ turn.T + [5, 6, 7])) for one in truth]
    assert score(truth, found).recall[0.15] == 0
    result = score(truth, found, alignment="similarity")
    assert result.alignment == "similarity"
    assert result.mpjpe < 1e-9
    given = fit_similarity(np.concatenate([one.joints[0] for one in found]), np.concatenate([t.joints[1] for t in truth]))
    assert score(truth, found, alignment=given).mpjpe < 1e-9
    assert np.allclose(given.rotation, turn.T)


def test_other_skeletons_are_converted_by_name() -> None:
    coco = SKELETONS["coco17"]
    true = people(body(3))
    both = np.full((17, 3), np.nan)
    for joint in set(coco.joints) & set(SHELF.joints):
        both[coco.index(joint)] = true.joints[0, SHELF.index(joint)]
    assert score([true], [people(both, skeleton=coco)]).mpjpe == 0


def test_heads_of_shelf() -> None:
    coco = SKELETONS["coco17"]
    joints = np.zeros((17, 3))
    joints[list(coco.indices(["left_shoulder", "right_shoulder"]))] = [[0, 0.2, 1.4], [0, -0.2, 1.4]]
    joints[coco.index("nose")] = [0.1, 0, 1.6]
    joints[list(coco.indices(["left_ear", "right_ear"]))] = [0, 0, 1.65]
    found = as_shelf14(people(joints, skeleton=coco)).joints[0]
    assert np.allclose(found[12], [0.75 * 0.05, 0, 0.75 * 1.5 + 0.25 * 1.525])
    assert np.allclose(found[13], [0.75 * 0.075, 0, 0.75 * 1.7 + 0.25 * (1.525 + 2 * 0.125)])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: score([people(body(0))], []), "give the same ones"),
        (lambda: score([people(body(0))], [people(body(0))], alignment="procrustes"), "alignment"),
        (lambda: score([people(body(0))], [people()], alignment="similarity"), "no instant"),
        (lambda: fit_similarity(np.zeros((2, 3)), np.zeros((2, 3))), "three points"),
        (lambda: fit_similarity(np.zeros((5, 3)), np.ones((5, 3))), "the same one"),
    ],
)
def test_errors(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_a_similarity_is_a_function() -> None:
    assert Similarity(2.0, np.eye(3), np.ones(3))(np.array([[1.0, 0, 0]])).tolist() == [[3, 1, 1]]
