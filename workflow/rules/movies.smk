# One job per movie: frames, background, blobs and tracklets; and, once identities are assigned, positions and movies that show them.


rule index:
    input:
        movie=movie_file,
        times=inspected(lambda wildcards: given(PLAN.times(wildcards.movie))),
    output:
        out=at("index/{movie}.h5"),
    log:
        at("logs/index/{movie}.log"),
    benchmark:
        at("benchmarks/index/{movie}.tsv")
    group:
        with_movie("movie", needs_others=True)
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        settings=settings("index"),
        version=stage_version("index"),
        fingerprint=inspected(lambda wildcards: PLAN.fingerprint(wildcards.movie)),
    shell:
        "python -m herdbook.stages.index --movie {input.movie:q} --times {input.times:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule background:
    input:
        movie=inspected(
            lambda wildcards: [FILES[movie] for movie in SCENES[wildcards.scene]]
        ),
        index=inspected(lambda wildcards: files("index", SCENES[wildcards.scene])),
        reference=inspected(
            lambda wildcards: files(
                "index", [PLAN.first_of_recording(wildcards.scene)]
            )
        ),
        image=given([EXPERIMENT.background.file] if EXPERIMENT.background.file else []),
    output:
        out=at("background/{scene}.h5"),
    log:
        at("logs/background/{scene}.log"),
    benchmark:
        at("benchmarks/background/{scene}.tsv")
    group:
        with_movie("scene")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(60),
    params:
        settings=settings("background"),
        version=version("background"),
    shell:
        "python -m herdbook.stages.background --movie {input.movie:q} --index {input.index:q}"
        " --reference {input.reference:q} --image {input.image:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule segment:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        background=file_of("background", PLAN.scene_of),
        masks=given(EXPERIMENT.masks.values()),
    output:
        out=at("segment/{movie}.h5"),
        excess=at("segment/{movie}.excess.csv"),
    log:
        at("logs/segment/{movie}.log"),
    benchmark:
        at("benchmarks/segment/{movie}.tsv")
    group:
        with_movie("movie")
    conda:
        "../../envs/herdbook.yaml"
    threads: 4
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("segment"),
        version=version("segment"),
    shell:
        "python -m herdbook.stages.segment --movie {input.movie:q} --index {input.index:q}"
        " --background {input.background:q} --masks {input.masks:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule tracklets:
    input:
        blobs=at("segment/{movie}.h5"),
        previous=inspected(
            lambda wildcards: files("segment", PLAN.previous(wildcards.movie))
        ),
    output:
        out=at("tracklets/{movie}.h5"),
    log:
        at("logs/tracklets/{movie}.log"),
    benchmark:
        at("benchmarks/tracklets/{movie}.tsv")
    group:
        with_movie("movie", needs_others=True)
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        settings=settings("tracklets"),
        version=stage_version("tracklets"),
    shell:
        "python -m herdbook.stages.tracklets --blobs {input.blobs:q} --previous {input.previous:q}"
        " --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule smooth:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        blobs=at("segment/{movie}.h5"),
        tracklets=at("tracklets/{movie}.h5"),
        identities=file_of("propagate", PLAN.recording_of),
        poses=[] if EXPERIMENT.points_apart else body_point_files(),
        corrections=given(
            [EXPERIMENT.smooth.corrections] if EXPERIMENT.smooth.corrections else []
        ),
        facts=given(PLAN.facts),
    output:
        out=at("smooth/{movie}.h5"),
        points=[] if EXPERIMENT.points_apart else at("points/{movie}.h5"),
    log:
        at("logs/smooth/{movie}.log"),
    benchmark:
        at("benchmarks/smooth/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 4
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("smooth"),
        version=version("smooth"),
    shell:
        "python -m herdbook.stages.smooth --movie {input.movie:q} --index {input.index:q} --blobs {input.blobs:q}"
        " --tracklets {input.tracklets:q} --identities {input.identities:q}"
        " --poses {input.poses:q} --corrections {input.corrections:q}"
        " --facts {input.facts:q}"
        " --out {output.out:q} --points {output.points:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule overlay:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        blobs=at("segment/{movie}.h5"),
        trajectories=at("smooth/{movie}.h5"),
        points=drawn_points,
    output:
        out=report(
            at("overlay/{movie}.mp4"),
            caption="../report/overlay.rst",
            category="Movies",
            labels={"movie": "{movie}", "shows": "all animals"},
        ),
        record=at("provenance/overlay/{movie}.json"),
    log:
        at("logs/overlay/{movie}.log"),
    benchmark:
        at("benchmarks/overlay/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(240),
    params:
        settings=settings("overlay"),
        version=stage_version("overlay"),
    shell:
        "python -m herdbook.stages.overlay --movie {input.movie:q} --index {input.index:q} --blobs {input.blobs:q}"
        " --trajectories {input.trajectories:q} --points {input.points:q} --out {output.out:q} --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule closeups:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        trajectories=at("smooth/{movie}.h5"),
        reference=files("segment", MOVIES[:1]),
    output:
        out=directory(at("closeups/{movie}")),
        record=at("provenance/closeups/{movie}.json"),
    log:
        at("logs/closeups/{movie}.log"),
    benchmark:
        at("benchmarks/closeups/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 2
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("closeups"),
        version=stage_version("closeups"),
    shell:
        "python -m herdbook.stages.closeups --movie {input.movie:q} --index {input.index:q}"
        " --trajectories {input.trajectories:q} --reference {input.reference:q}"
        " --out {output.out:q} --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule mosaic:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        trajectories=at("smooth/{movie}.h5"),
        reference=files("segment", MOVIES[:1]),
    output:
        out=report(
            at("mosaic/{movie}.mp4"),
            caption="../report/mosaic.rst",
            category="Movies",
            labels={"movie": "{movie}", "shows": "each animal in a tile"},
        ),
        record=at("provenance/mosaic/{movie}.json"),
    log:
        at("logs/mosaic/{movie}.log"),
    benchmark:
        at("benchmarks/mosaic/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(3000),
        runtime=scaled(240),
    params:
        settings=settings("mosaic"),
        version=stage_version("mosaic"),
    shell:
        "python -m herdbook.stages.mosaic --movie {input.movie:q} --index {input.index:q}"
        " --trajectories {input.trajectories:q} --reference {input.reference:q}"
        " --out {output.out:q} --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
